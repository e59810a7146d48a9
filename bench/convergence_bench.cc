// Held-out loss against bytes: data-parallel, dense DiLoCo, Templar's settings and ours, on the
// same model, data and tokens, from a common warm start. The corpus is the quickstart's.
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <numeric>
#include <thread>

#include "bench/bench_size.h"
#include "bench/convergence/network.h"
#include "cli/svg_chart.h"
#include "trainer/data/corpus.h"

namespace muster::bench {
namespace {

using nlohmann::ordered_json;

struct Options {
  Task task;
  std::vector<std::uint64_t> seeds{0, 1};
  std::vector<std::uint32_t> inner_steps{5, 10};
  std::string json, html, only, variants;
  std::filesystem::path corpus = MUSTER_SOURCE_DIR "/.deps/libtorch/torch/include";
  unsigned jobs = std::max(1u, std::thread::hardware_concurrency());
  std::uint32_t held_out = 512, points = 12;
};

// NAME:KEY=VALUE,…, one method more; keys as in add_variant.
Method variant(const std::string& text) {
  Method method;
  method.name = text;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find(',', begin), text.size()),
                      equals = text.find('=', begin);
    const std::string key = text.substr(begin, equals - begin),
                      value = text.substr(equals + 1, end - equals - 1);
    const double number = std::atof(value.c_str());
    if (key == "H")
      method.inner_steps = static_cast<std::uint32_t>(number);
    else if (key == "lr")
      method.learning_rate = number;
    else if (key == "outer")
      method.outer_rate = static_cast<float>(number);
    else if (key == "nesterov")
      method.nesterov = static_cast<float>(number);
    else if (key == "decay")
      method.feedback_decay = static_cast<float>(number);
    else if (key == "k")
      method.schedule = {{0, static_cast<std::uint32_t>(number)}};
    else if (key == "dense_rounds")
      method.schedule.insert(method.schedule.begin(), {static_cast<std::uint32_t>(number), 1024});
    else if (key == "down")
      method.down_factor = static_cast<std::uint32_t>(number);
    else if (key == "muon")
      method.optimizer = trainer::OptimizerKind::kMuon;
    else if (key == "exchange")
      method.exchange = value == "gradients" ? Exchange::kGradients
                        : value == "dense"   ? Exchange::kDense
                        : value == "templar" ? Exchange::kTemplar
                                             : Exchange::kOurs;
    else {
      std::fprintf(stderr, "bench_convergence: no key '%s' in '%s'\n", key.c_str(), text.c_str());
      std::exit(2);
    }
    begin = end + 1;
  }
  return method;
}

std::vector<std::string> split(const std::string& text, char by) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(by, begin), text.size());
    if (end > begin) parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

class Comparison {
 public:
  explicit Comparison(const Options& options) : options_(options) {
    for (const Method& method : standard_methods(options.inner_steps))
      if (options.only.empty() || method.name.find(options.only) != std::string::npos ||
          method.exchange == Exchange::kGradients)
        methods_.push_back(method);
    for (const std::string& text : split(options.variants, ';')) methods_.push_back(variant(text));
  }

  ordered_json run() {
    const auto paths = corpus();
    const auto train = open(paths.train), held_out = open(paths.held_out);
    std::map<std::uint64_t, Start> starts;
    for (const std::uint64_t seed : options_.seeds) starts[seed];
    in_parallel(options_.seeds.size(), [&](std::size_t job) {
      Task task = options_.task;
      task.seed = options_.seeds[job];
      starts[task.seed] =
          warm_start(task, train, Method{}.learning_rate, trainer::OptimizerKind::kAdamW);
    });
    curves_.resize(methods_.size() * options_.seeds.size());
    std::atomic<std::size_t> done{0};
    in_parallel(curves_.size(), [&](std::size_t job) {
      Task task = options_.task;
      task.seed = options_.seeds[job % options_.seeds.size()];
      const Method& method = methods_[job / options_.seeds.size()];
      curves_[job] = train_together(method, task, starts.at(task.seed), train, evaluator(held_out),
                                    options_.points);
      std::fprintf(stderr, "%s%zu of %zu: %s, seed %llu: %.4f%s", ::isatty(2) != 0 ? "\r" : "",
                   ++done, curves_.size(), method.name.c_str(),
                   static_cast<unsigned long long>(task.seed), curves_[job].back().loss,
                   ::isatty(2) != 0 ? "\033[K" : "\n");
    });
    if (::isatty(2) != 0) std::fprintf(stderr, "\n");
    return table();
  }

  void write_html(const std::string& path) const {
    std::string body;
    for (const bool up : {true, false}) {
      std::vector<cli::Line> lines;
      cli::Origin origin{1e9, 1e9};
      for (std::size_t m = 0; m < methods_.size(); ++m) {
        cli::Line line{methods_[m].name, {}};
        for (const Point& point : curve(m, 0)) {
          if (point.step == 0) continue;
          line.points.emplace_back(std::log10(up ? point.up_bytes : point.down_bytes), point.loss);
          origin.x = std::min(origin.x, std::floor(line.points.back().first));
          origin.y = std::min(origin.y, std::floor(point.loss * 20) / 20);
        }
        lines.push_back(std::move(line));
      }
      body += cli::line_chart("Held-out loss (nats per byte) against one miner's traffic",
                              up ? "log10 of bytes up" : "log10 of bytes down", lines, origin);
    }
    std::ofstream(path) << cli::html_page("Loss against bytes", body);
  }

 private:
  template <class Job>
  void in_parallel(std::size_t count, const Job& job) const {
    std::atomic<std::size_t> next{0};
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < options_.jobs; ++i)
      threads.emplace_back([&] {
        for (std::size_t at = next++; at < count; at = next++) job(at);
      });
    for (std::thread& thread : threads) thread.join();
  }

  trainer::CorpusPaths corpus() const {
    const auto folder = std::filesystem::temp_directory_path() / "muster_convergence";
    auto paths = trainer::build_corpus(options_.corpus, folder, options_.task.model.context);
    if (!paths) {
      std::fprintf(stderr, "bench_convergence: %s\n", paths.error().message.c_str());
      std::exit(1);
    }
    return *paths;
  }

  trainer::DataSet open(const std::filesystem::path& path) const {
    return trainer::DataSet::open(path, options_.task.model.context, options_.task.model.vocab)
        .value();
  }

  Evaluate evaluator(const trainer::DataSet& held_out) const {
    auto team = std::make_shared<Team>(1);
    std::shared_ptr<trainer::Llama> llama =
        trainer::Llama::make(options_.task.model, {.compute = options_.task.compute}, *team)
            .value();
    std::vector<std::uint64_t> ids(
        std::min<std::uint64_t>(options_.held_out, held_out.sequences()));
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = i * held_out.sequences() / ids.size();
    auto tokens =
        std::make_shared<std::vector<std::int32_t>>(ids.size() * (options_.task.model.context + 1));
    const Status read = held_out.read(ids, *tokens);
    MUSTER_CHECK(read.has_value(), read ? "" : read.error().message);
    return [team, llama, tokens, count = ids.size()](std::span<const float> theta) {
      std::vector<float> losses(count);
      llama->losses(theta, *tokens, losses);
      return std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(count);
    };
  }

  [[nodiscard]] const std::vector<Point>& curve(std::size_t method, std::size_t seed) const {
    return curves_[method * options_.seeds.size() + seed];
  }

  [[nodiscard]] double mean_loss(std::size_t method) const {
    double total = 0;
    for (std::size_t s = 0; s < options_.seeds.size(); ++s) total += curve(method, s).back().loss;
    return total / static_cast<double>(options_.seeds.size());
  }

  ordered_json table() const {
    const Task& task = options_.task;
    const auto parameters = static_cast<double>(state::layout_of(task.model).parameters());
    const double tokens =
        static_cast<double>(task.steps) * task.batch * task.model.context;  // of one miner
    ordered_json report{{"parameters", parameters},
                        {"miners", task.miners},
                        {"steps", task.steps},
                        {"warm_steps", task.warm_steps},
                        {"warm_loss", curve(0, 0).front().loss},
                        {"rows", ordered_json::array()},
                        {"targets", ordered_json::array()}};
    std::printf(
        "%.0f parameters, %u miners, %llu steps after %llu data-parallel ones (loss there %.4f), "
        "seeds:",
        parameters, task.miners, static_cast<unsigned long long>(task.steps),
        static_cast<unsigned long long>(task.warm_steps), curve(0, 0).front().loss);
    for (const auto seed : options_.seeds)
      std::printf(" %llu", static_cast<unsigned long long>(seed));
    std::printf("\n%-46s %8s %8s %9s %12s %12s\n", "method", "loss", "spread", "to d.-p.",
                "up B/par/tok", "down");
    std::map<std::string, double> losses, up;
    for (std::size_t m = 0; m < methods_.size(); ++m) {
      const double loss = mean_loss(m), gap = loss / mean_loss(0) - 1;
      double spread = 0;
      for (std::size_t s = 0; s < options_.seeds.size(); ++s)
        spread = std::max(spread, std::abs(curve(m, s).back().loss - loss));
      const Point& last = curve(m, 0).back();
      losses[methods_[m].name] = loss;
      up[methods_[m].name] = last.up_bytes;
      std::printf("%-46s %8.4f %8.4f %+8.1f%% %12.2e %12.2e\n", methods_[m].name.c_str(), loss,
                  spread, 100 * gap, last.up_bytes / parameters / tokens,
                  last.down_bytes / parameters / tokens);
      ordered_json points = ordered_json::array();
      for (std::size_t s = 0; s < options_.seeds.size(); ++s)
        for (const Point& point : curve(m, s))
          points.push_back({{"seed", options_.seeds[s]},
                            {"step", point.step},
                            {"loss", point.loss},
                            {"up", point.up_bytes},
                            {"down", point.down_bytes}});
      report["rows"].push_back({{"method", methods_[m].name},
                                {"loss", loss},
                                {"spread", spread},
                                {"gap", gap},
                                {"up_bytes", last.up_bytes},
                                {"down_bytes", last.down_bytes},
                                {"points", points}});
    }
    for (const std::uint32_t steps : options_.inner_steps) {
      const std::string suffix = " H" + std::to_string(steps);
      const double dense = losses["dense DiLoCo" + suffix], templar = losses["Templar" + suffix];
      if (!losses.contains("ours" + suffix) || dense == 0 || templar == 0) continue;
      add_target(report, "ours over dense DiLoCo, both AdamW," + suffix + ": at most 1.005",
                 losses["ours, AdamW" + suffix] / dense, 1.005);
      add_target(report, "ours over Templar's settings, both AdamW," + suffix + ": at most 1",
                 losses["ours, AdamW" + suffix] / templar, 1);
      add_target(report, "bytes up of dense DiLoCo's," + suffix + ": at most 0.01",
                 up["ours" + suffix] / up["dense DiLoCo" + suffix], 0.01);
      add_target(report, "ours over data-parallel AdamW," + suffix + ": at most 1.025",
                 losses["ours" + suffix] / mean_loss(0), 1.025);
    }
    return report;
  }

  static void add_target(ordered_json& report, const std::string& name, double measured,
                         double at_most) {
    const bool met = measured <= at_most;
    std::printf("%-60s %8.4f  %s\n", name.c_str(), measured, met ? "met" : "MISSED");
    report["targets"].push_back({{"target", name}, {"measured", measured}, {"met", met}});
  }

  Options options_;
  std::vector<Method> methods_;
  std::vector<std::vector<Point>> curves_;  // by method, then seed
};

int usage(const std::string& problem) {
  std::fprintf(stderr,
               "bench_convergence: %s\n"
               "usage: bench_convergence [--full] [--json FILE] [--html FILE] [--seeds 0,1] "
               "[--steps N] [--warm N] [--miners N]\n"
               "       [--inner 5,10] [--only NAME] [--jobs N] [--corpus FOLDER] [--variants "
               "'H=5,k=128;H=10,muon=1']\n"
               "variants: methods of ours with other H, lr, outer, nesterov, decay, k, "
               "dense_rounds, down, muon, exchange\n",
               problem.c_str());
  return 2;
}

void make_small(Options& options) {
  options.task.model = {.d_model = 32,
                        .layers = 1,
                        .heads = 2,
                        .kv_heads = 2,
                        .d_ff = 64,
                        .context = 32,
                        .vocab = 256,
                        .tied = true};
  options.task.warm_steps = options.task.steps = 20;
  options.seeds = {0};
  options.held_out = 16;
}

}  // namespace
}  // namespace muster::bench

int main(int argc, char** argv) {
  using namespace muster::bench;
  Options options;
  options.task.model = {.d_model = 64,
                        .layers = 4,
                        .heads = 2,
                        .kv_heads = 2,
                        .d_ff = 192,
                        .context = 128,
                        .vocab = 256,
                        .tied = true};
  if (small()) make_small(options);
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--full") {
      options.task.miners = 16;
      options.task.batch = 1;
      options.task.warm_steps = 0;
      options.inner_steps = {5, 10, 30};
      --i;
      continue;
    }
    if (i + 1 == argc) return usage(name + " needs a value");
    const std::string value = argv[i + 1];
    const auto number = static_cast<std::uint32_t>(std::max(1, std::atoi(value.c_str())));
    auto numbers = [&](auto& list) {
      list.clear();
      for (const std::string& word : split(value, ','))
        list.push_back(static_cast<std::uint32_t>(std::atoi(word.c_str())));
    };
    if (name == "--json")
      options.json = value;
    else if (name == "--html")
      options.html = value;
    else if (name == "--seeds")
      numbers(options.seeds);
    else if (name == "--inner")
      numbers(options.inner_steps);
    else if (name == "--steps")
      options.task.steps = number;
    else if (name == "--warm")
      options.task.warm_steps = static_cast<std::uint64_t>(std::max(0, std::atoi(value.c_str())));
    else if (name == "--miners")
      options.task.miners = number;
    else if (name == "--batch")
      options.task.batch = number;
    else if (name == "--only")
      options.only = value;
    else if (name == "--jobs")
      options.jobs = number;
    else if (name == "--corpus")
      options.corpus = value;
    else if (name == "--variants")
      options.variants = value;
    else
      return usage("unknown option " + name + " " + value);
  }
  Comparison comparison(options);
  const auto report = comparison.run();
  if (!options.json.empty()) std::ofstream(options.json) << report.dump(1) << "\n";
  if (!options.html.empty()) comparison.write_html(options.html);
  return 0;
}
