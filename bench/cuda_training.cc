#include "bench/cuda_training.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/prng.h"
#include "bench/bench_size.h"
#include "bench/measure.h"
#include "state/shape.h"

namespace muster::bench {
namespace {

using nlohmann::ordered_json;

struct Row {
  const char* name;
  state::ModelSpec model;
  std::uint32_t batch;
};

const Row kRows[] = {{"124m",
                      {.d_model = 768,
                       .layers = 12,
                       .heads = 12,
                       .kv_heads = 12,
                       .d_ff = 2048,
                       .context = 1024,
                       .vocab = 50304,
                       .tied = false},
                      64},
                     {"1b",
                      {.d_model = 2048,
                       .layers = 16,
                       .heads = 32,
                       .kv_heads = 8,
                       .d_ff = 8192,
                       .context = 2048,
                       .vocab = 32768,
                       .tied = false},
                      8},
                     {"smoke",
                      {.d_model = 64,
                       .layers = 1,
                       .heads = 2,
                       .kv_heads = 1,
                       .d_ff = 64,
                       .context = 32,
                       .vocab = 64,
                       .tied = false},
                      2}};

// As trainer::Llama::flops_per_token.
double flops_per_token(const state::ModelSpec& model) {
  const state::Shape s(model);
  return 6.0 * static_cast<double>(s.matrix_parameters()) +
         6.0 * static_cast<double>(s.layers * s.context * s.width);
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

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

class TrainingBench {
 public:
  TrainingBench(gpu::Card& card, const CudaTrainingOptions& options, const Row& row)
      : card_(card),
        options_(options),
        row_(row),
        batch_(options.batch == 0 ? row.batch : options.batch) {
    Prng random(1);
    tokens_.resize(batch_ * (row.model.context + std::size_t{1}));
    for (auto& token : tokens_) token = static_cast<std::int32_t>(random.below(row.model.vocab));
    theta_.resize(state::layout_of(row.model).parameters());
    state::initial_parameters(row.model, 1, theta_);
  }

  ordered_json run_all() {
    ordered_json report = step();
    if (report.contains("error")) return report;
    report["losses"] = losses();
    if (!options_.has_peers) return report;
    for (const bool compiled : {false, true})
      report[compiled ? "compiled" : "eager"] = peer(compiled);
    return report;
  }

 private:
  Result<std::unique_ptr<model::TrainableModel>> make(std::uint32_t sequences, bool has_optimizer) {
    MUSTER_TRY(auto model,
               card_.make_model(
                   {.spec = row_.model, .sequences = sequences, .has_optimizer = has_optimizer}));
    MUSTER_TRY_STATUS(model->load(theta_));
    return Result<std::unique_ptr<model::TrainableModel>>(std::move(model));
  }

  ordered_json step() {
    auto model = make(batch_, true);
    if (!model) {
      std::printf("%-6s %s\n", row_.name, model.error().message.c_str());
      return {{"model", row_.name}, {"error", model.error().message}};
    }
    constexpr int kUncounted = 3;
    std::vector<double> times;
    gpu::StepOutcome outcome;
    for (int i = 0; i < kUncounted + options_.steps; ++i) {
      const double taken = seconds(
          [&] {
            outcome = (*model)
                          ->step(tokens_, {.learning_rate = 1e-3,
                                           .number = static_cast<std::uint64_t>(i + 1),
                                           .clip = 1,
                                           .loss_limit = 1e30,
                                           .norm_limit = 1e30})
                          .value();
          },
          1);
      MUSTER_CHECK(outcome.applied, "a step that is taken");
      if (i >= kUncounted) times.push_back(taken);
    }
    const double took = median(times),
                 rate = static_cast<double>(batch_) * row_.model.context / took;
    const double share = rate * flops_per_token(row_.model) / (options_.peak_tflops * 1e12);
    const double best = *std::min_element(times.begin(), times.end());
    std::printf(
        "%-6s batch %3u x %u: %8.2f ms a step, %9.0f tokens/s, %4.1f %% of %.0f TFLOP/s; best step "
        "%.2f ms; loss %.4f\n",
        row_.name, batch_, row_.model.context, took * 1e3, rate, 100 * share, options_.peak_tflops,
        best * 1e3, outcome.loss);
    std::fflush(stdout);
    return {{"model", row_.name},   {"batch", batch_},      {"seconds", took},
            {"best_seconds", best}, {"tokens_per_s", rate}, {"share_of_peak", share},
            {"loss", outcome.loss}};
  }

  // What a validator does for a miner: exact losses of some sequences at a displaced θ.
  ordered_json losses() {
    const std::uint32_t sequences = std::min(batch_, 8u);
    auto model = make(sequences, false).value();
    const std::uint64_t parameters = model->parameters().size();
    compression::SparseUpdate update;
    for (std::uint64_t i = 0; i < parameters; i += 64)
      update.indices.push_back(i);  // k = 64 of 4096
    update.values.assign(update.indices.size(), 1e-4f);
    const auto tokens = std::span(tokens_).first(sequences * (row_.model.context + std::size_t{1}));
    std::vector<float> before(sequences), after(sequences);
    std::vector<double> times;
    for (int i = 0; i < 2 + options_.steps; ++i) {
      const double taken = seconds(
          [&] {
            const auto displacement = card_.displace(model->parameters(), update, 1).value();
            model->parameters_changed().value();
            model->losses(tokens, after).value();
            displacement->swap().value();
            model->parameters_changed().value();
            model->losses(tokens, before).value();
          },
          1);
      if (i >= 2) times.push_back(taken);
    }
    std::printf("%-6s %u sequences at θ and at θ − update, k = 64: %.2f ms, %.1f miners/s\n",
                row_.name, sequences, median(times) * 1e3, 1 / median(times));
    return {{"sequences", sequences}, {"miners_per_s", 1 / median(times)}};
  }

  ordered_json peer(bool compiled) {
    const char* python = std::getenv("MUSTER_PYTHON");
    const std::string command =
        std::string(python == nullptr ? "python3" : python) +
        " " MUSTER_SOURCE_DIR "/bench/peers/torch_llama.py --device cuda --config " + row_.name +
        " --batch " + std::to_string(batch_) + " --steps " + std::to_string(options_.steps) +
        (compiled ? " --compile" : "") + " 2>/dev/null";
    const auto report = run(command);
    const bool ran = report.is_object();
    std::printf("%-6s PyTorch %s: %s\n", row_.name, compiled ? "compiled" : "eager",
                ran ? (std::to_string(static_cast<long>(report["tokens_per_s"].get<double>())) +
                       " tokens/s")
                          .c_str()
                    : "did not run");
    std::fflush(stdout);
    return report;
  }

  gpu::Card& card_;
  const CudaTrainingOptions& options_;
  const Row& row_;
  std::uint32_t batch_;
  std::vector<std::int32_t> tokens_;
  std::vector<float> theta_;
};

}  // namespace

ordered_json measure_training(gpu::Card& card, const CudaTrainingOptions& options) {
  ordered_json reports = ordered_json::array();
  for (const std::string& name : options.models)
    for (const Row& row : kRows)
      if (name == row.name) reports.push_back(TrainingBench(card, options, row).run_all());
  return reports;
}

}  // namespace muster::bench
