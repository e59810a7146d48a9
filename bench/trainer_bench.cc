// Training steps of our own beside PyTorch's, eager and compiled: tokens per second and per
// CPU-second, memory, and the share of a core's matmul peak. Every figure comes from a process of
// its own, the best of its steps.
//
// The peer is bench/peers/torch_llama.py, run by $MUSTER_PYTHON (default python3) where that has
// torch.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "base/prng.h"
#include "bench/bench_size.h"
#include "bench/measure.h"
#include "trainer/kernels/kernels.h"
#include "trainer/run/learner.h"
#include "trainer/run/matmul_peak.h"
#include "trainer/trainer.h"

namespace muster::bench {
namespace {

using nlohmann::ordered_json;
using trainer::Compute;

struct Config {
  const char* name;
  state::ModelSpec model;
  int steps;  // after those that are not counted
  std::uint32_t batch;
  double bf16_target;  // tokens of ours for one of the better PyTorch's
};

const Config kConfigs[] = {{"tiny",
                            {.d_model = 256,
                             .layers = 4,
                             .heads = 4,
                             .kv_heads = 2,
                             .d_ff = 704,
                             .context = 256,
                             .vocab = 256,
                             .tied = false},
                            12,
                            8,
                            1.6},
                           {"small",
                            {.d_model = 512,
                             .layers = 8,
                             .heads = 8,
                             .kv_heads = 4,
                             .d_ff = 1408,
                             .context = 512,
                             .vocab = 4096,
                             .tied = false},
                            3,
                            8,
                            1.6},
                           {"124m",
                            {.d_model = 768,
                             .layers = 12,
                             .heads = 12,
                             .kv_heads = 12,
                             .d_ff = 2048,
                             .context = 1024,
                             .vocab = 50304,
                             .tied = false},
                            1,
                            2,
                            1.4},
                           {"smoke",
                            {.d_model = 32,
                             .layers = 1,
                             .heads = 2,
                             .kv_heads = 1,
                             .d_ff = 64,
                             .context = 32,
                             .vocab = 64,
                             .tied = false},
                            1,
                            8,
                            0}};
constexpr double kFp32Target = 2.0, kMemoryTarget = 0.65;

struct Options {
  std::set<std::string> configs{"tiny", "small", "124m"}, formats{"bf16", "fp32"};
  std::vector<unsigned> threads{1, 2};
  std::uint32_t batch = 0;  // 0: the configuration's
  trainer::MatmulChoice matmul = trainer::MatmulChoice::kOwn;
  bool recompute = false;
  std::string json, one;  // one: "CONFIG FORMAT THREADS", in a child
};

std::uint32_t batch_of(const Config& config, const Options& options) {
  return options.batch == 0 ? config.batch : options.batch;
}

double cpu_seconds() {
  timespec t{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

const Config& config_named(const std::string& name) {
  for (const Config& config : kConfigs)
    if (name == config.name) return config;
  std::fprintf(stderr, "bench_trainer: no configuration '%s'; there are tiny, small, 124m, smoke\n",
               name.c_str());
  std::exit(2);
}

// A whole training step as a miner does it: gradient, norm, clipping, AdamW.
ordered_json measure(const Config& config, Compute compute, unsigned threads,
                     const Options& options) {
  const std::uint32_t batch = batch_of(config, options);
  auto device = trainer::open_device(trainer::DeviceChoice::kCpu, config.model,
                                     {.compute = compute,
                                      .recompute = options.recompute,
                                      .matmul = options.matmul,
                                      .libraries = MUSTER_LIBRARY_DIR},
                                     threads)
                    .value()
                    .device;
  auto made = device->make_model({.spec = config.model, .sequences = batch, .compute = compute});
  MUSTER_CHECK(made.has_value(), made ? "" : made.error().message);
  model::TrainableModel& model = **made;
  std::vector<float> theta(state::layout_of(config.model).parameters());
  state::initial_parameters(config.model, 1, theta);
  MUSTER_CHECK(model.load(theta).has_value(), "parameters of this model");
  std::vector<float>().swap(theta);
  Prng random(1);
  std::vector<std::int32_t> tokens(batch * (config.model.context + std::size_t{1}));
  for (auto& token : tokens) token = static_cast<std::int32_t>(random.below(config.model.vocab));
  trainer::LossGuard guard({.spike_sd = 0});
  std::uint64_t steps = 0;
  double wall = 1e30, cpu = 1e30;
  const int uncounted = config.steps == 1 ? 1 : 2;
  for (int step = 0; step < config.steps + uncounted; ++step) {
    const double before = cpu_seconds();
    const double seconds_taken = seconds(
        [&] {
          MUSTER_CHECK(trainer::guarded_step(model, tokens, 1e-3, 1, guard, steps).has_value(),
                       "a step");
        },
        1);
    if (step < uncounted) continue;
    wall = std::min(wall, seconds_taken);
    cpu = std::min(cpu, cpu_seconds() - before);
  }
  const double count = batch * static_cast<double>(config.model.context);
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return {{"tokens_per_s", count / wall},
          {"tokens_per_cpu_s", count / cpu},
          {"peak_mib", static_cast<double>(usage.ru_maxrss) / 1024},
          {"flops_per_token", model::flops_per_token(config.model)},
          {"path", model.compute_class()}};
}

// The last line of a command's output as JSON; null when it fails.
ordered_json run(const std::string& command) {
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return nullptr;
  std::string line, last;
  char buffer[4096];
  while (std::fgets(buffer, sizeof(buffer), pipe) != nullptr) {
    line += buffer;
    if (line.ends_with('\n')) last = std::exchange(line, {});
  }
  return ::pclose(pipe) == 0 ? ordered_json::parse(last, nullptr, false) : ordered_json(nullptr);
}

class Bench {
 public:
  explicit Bench(const Options& options, std::string self)
      : options_(options), self_(std::move(self)) {
    const char* python = std::getenv("MUSTER_PYTHON");
    python_ = python == nullptr ? "python3" : python;
    has_torch_ = std::system((python_ + " -c 'import torch' 2>/dev/null").c_str()) == 0;
    if (!has_torch_)
      std::printf("%s has no torch: no peer to compare with; set MUSTER_PYTHON to one that has\n",
                  python_.c_str());
  }

  ordered_json run_all() {
    peak();
    std::printf("\n%-6s %-5s %7s %9s %9s %7s %6s %9s %9s %7s %7s\n", "model", "type", "threads",
                "tok/cpu-s", "tok/s", "of peak", "MiB", "eager", "compiled", "ratio", "memory");
    for (const Config& config : kConfigs)
      for (const char* format : {"bf16", "fp32"})
        for (const unsigned threads : options_.threads)
          if (options_.configs.contains(config.name) && options_.formats.contains(format))
            row(config, format, threads);
    std::printf("\n%-60s %8s\n", "target", "measured");
    for (const auto& target : report_["targets"])
      std::printf("%-60s %8.2f  %s\n", target["target"].get<std::string>().c_str(),
                  target["measured"].get<double>(), target["met"].get<bool>() ? "met" : "MISSED");
    return report_;
  }

 private:
  void peak() {
    for (const auto& [name, compute] :
         {std::pair{"bf16", Compute::kBfloat16}, {"fp32", Compute::kFloat32}}) {
      Team team(1);
      const double rate = trainer::matmul_peak(team, compute == Compute::kBfloat16,
                                               small() ? 0.01 : 1, cpu_seconds);
      report_["matmul_peak_gflops"][name] = rate / 1e9;
      std::printf("%s: matrix products of one core at best %.0f GFLOP/s\n", name, rate / 1e9);
    }
  }

  ordered_json peer(const Config& config, const std::string& format, unsigned threads,
                    bool compiled) {
    if (!has_torch_ || config.bf16_target == 0) return nullptr;
    return run(python_ + " " MUSTER_SOURCE_DIR "/bench/peers/torch_llama.py --config " +
               config.name + " --dtype " + format + " --threads " + std::to_string(threads) +
               " --batch " + std::to_string(batch_of(config, options_)) + " --steps " +
               std::to_string(config.steps) + (compiled ? " --compile" : "") + " 2>/dev/null");
  }

  void row(const Config& config, const std::string& format, unsigned threads) {
    ordered_json row =
        run(self_ + " --batch " + std::to_string(batch_of(config, options_)) + " --one '" +
            config.name + " " + format + " " + std::to_string(threads) + "'" +
            (options_.matmul == trainer::MatmulChoice::kTorch ? " --matmul torch" : "") +
            (options_.recompute ? " --recompute yes" : ""));
    if (row.is_null()) {
      std::printf("%-6s %-5s cannot run here\n", config.name, format.c_str());
      return;
    }
    // On one thread what counts is CPU time, which a busy machine does not change; with more, the
    // clock's.
    const char* unit = threads == 1 ? "tokens_per_cpu_s" : "tokens_per_s";
    const double ours = row[unit];
    const double of_peak = ours * row["flops_per_token"].get<double>() / 1e9 /
                           (report_["matmul_peak_gflops"][format].get<double>() * threads);
    const auto eager = peer(config, format, threads, false),
               compiled = peer(config, format, threads, true);
    auto number = [&](const ordered_json& peer, const char* key) {
      return peer.is_object() ? peer[key].get<double>() : 0.0;
    };
    const double better = std::max(number(eager, unit), number(compiled, unit));
    const double ratio = better > 0 ? ours / better : 0;
    const double memory = number(eager, "peak_mib") > 0
                              ? row["peak_mib"].get<double>() / number(eager, "peak_mib")
                              : 0;
    std::printf("%-6s %-5s %7u %9.0f %9.0f %6.0f%% %6.0f %9.0f %9.0f %7.2f %7.2f\n", config.name,
                format.c_str(), threads, row["tokens_per_cpu_s"].get<double>(),
                row["tokens_per_s"].get<double>(), 100 * of_peak, row["peak_mib"].get<double>(),
                number(eager, unit), number(compiled, unit), ratio, memory);
    std::fflush(stdout);
    row.update({{"config", config.name},
                {"format", format},
                {"threads", threads},
                {"of_peak", of_peak},
                {"eager", eager},
                {"compiled", compiled},
                {"ratio", ratio},
                {"memory", memory}});
    report_["rows"].push_back(row);
    if (better > 0) {
      const std::string what =
          std::string(config.name) + " " + format + ", " + std::to_string(threads) + " threads: ";
      target(what + "tokens over the better PyTorch", ratio,
             format == "bf16" ? config.bf16_target : kFp32Target, true);
      target(what + "memory of eager's", memory, kMemoryTarget, false);
    }
  }

  void target(const std::string& name, double measured, double bound, bool at_least) {
    char text[16];
    std::snprintf(text, sizeof(text), "%.2f", bound);
    report_["targets"].push_back(
        {{"target", name + (at_least ? ": at least " : ": at most ") + text},
         {"measured", measured},
         {"met", at_least ? measured >= bound : measured <= bound}});
  }

  Options options_;
  std::string self_, python_;
  bool has_torch_ = false;
  ordered_json report_ = {{"targets", ordered_json::array()}};
};

std::set<std::string> words(const std::string& text) {
  std::set<std::string> found;
  for (std::size_t begin = 0, end = 0; begin < text.size(); begin = end + 1) {
    end = std::min(text.find_first_of(", ", begin), text.size());
    found.insert(text.substr(begin, end - begin));
  }
  return found;
}

int usage(const std::string& problem) {
  std::fprintf(stderr,
               "bench_trainer: %s\nusage: bench_trainer [--json FILE] [--configs tiny,small,124m] "
               "[--formats bf16,fp32]\n"
               "       [--threads 1,2] [--batch N] [--matmul own|torch] [--recompute no|yes]\n",
               problem.c_str());
  return 2;
}

int measure_one(const Options& options) {
  char name[16] = {}, format[16] = {};
  unsigned threads = 1;
  if (std::sscanf(options.one.c_str(), "%15s %15s %u", name, format, &threads) != 3)
    return usage("--one is for itself");
  const Compute compute = std::strcmp(format, "bf16") == 0 ? Compute::kBfloat16 : Compute::kFloat32;
  if (compute == Compute::kBfloat16 && trainer::available_kernels<trainer::Bf16>().empty())
    return 1;
  std::printf("%s\n", measure(config_named(name), compute, threads, options).dump().c_str());
  return 0;
}

}  // namespace
}  // namespace muster::bench

int main(int argc, char** argv) {
  using namespace muster::bench;
  Options options;
  if (small()) options.configs = {"smoke"};
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    if (i + 1 == argc) return usage(name + " needs a value");
    const std::string value = argv[i + 1];
    if (name == "--json")
      options.json = value;
    else if (name == "--configs")
      options.configs = words(value);
    else if (name == "--formats")
      options.formats = words(value);
    else if (name == "--batch")
      options.batch = static_cast<std::uint32_t>(std::max(1, std::atoi(value.c_str())));
    else if (name == "--one")
      options.one = value;
    else if (name == "--matmul" && value == "torch")
      options.matmul = muster::trainer::MatmulChoice::kTorch;
    else if (name == "--matmul" && value == "own")
      options.matmul = muster::trainer::MatmulChoice::kOwn;
    else if (name == "--recompute")
      options.recompute = value == "yes";
    else if (name == "--threads") {
      options.threads.clear();
      for (const std::string& word : words(value))
        options.threads.push_back(static_cast<unsigned>(std::max(1, std::atoi(word.c_str()))));
    } else
      return usage("unknown option " + name);
  }
  if (!options.one.empty()) return measure_one(options);
  for (const std::string& name : options.configs) config_named(name);
  const auto report = Bench(options, argv[0]).run_all();
  if (!options.json.empty()) std::ofstream(options.json) << report.dump(1) << "\n";
  return 0;
}
