// What a validator's measurements cost, in forward passes: the screening gradient, a screen of one
// payload, an exact score of one miner of four.
//
//   bench/run.sh verify [-- --threads N] [--json FILE]
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>

#include "bench/bench_size.h"
#include "bench/measure.h"
#include "state/model_spec.h"
#include "trainer/data/token_file.h"
#include "trainer/trainer.h"
#include "verify/score.h"

namespace muster::bench {
namespace {

constexpr std::uint32_t kScreenSequences = 96, kOwn = 32, kShared = 64;
constexpr double kScreenTarget = 0.01;  // of a forward pass over the screen's sequences

struct Case {
  const char* name;
  state::ModelSpec model;
  std::uint32_t keep;
};

std::vector<Case> cases() {
  const Case quickstart{"quickstart",
                        {.d_model = 128,
                         .layers = 2,
                         .heads = 4,
                         .kv_heads = 4,
                         .d_ff = 384,
                         .context = 128,
                         .vocab = 256,
                         .tied = true},
                        1024};
  if (small())
    return {{"tiny",
             {.d_model = 32,
              .layers = 1,
              .heads = 2,
              .kv_heads = 2,
              .d_ff = 64,
              .context = 32,
              .vocab = 256,
              .tied = true},
             256}};
  Case sparse = quickstart;
  sparse.name = "quickstart, k = 64";
  sparse.keep = 64;
  return {quickstart,
          sparse,
          {"small",
           {.d_model = 384,
            .layers = 6,
            .heads = 6,
            .kv_heads = 6,
            .d_ff = 1024,
            .context = 256,
            .vocab = 256,
            .tied = true},
           64}};
}

std::filesystem::path data_for(const state::ModelSpec& model) {
  const auto path = std::filesystem::temp_directory_path() / "muster_bench_verify.bin";
  Prng random(1);
  Bytes bytes((model.context + std::size_t{1}) * 512);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random.below(model.vocab));
  MUSTER_CHECK(trainer::write_byte_tokens(path, bytes).has_value(), "bench data");
  return path;
}

nlohmann::ordered_json measure(const Case& what, unsigned threads) {
  trainer::TrainerConfig config;
  config.model = what.model;
  config.train_data = config.held_out_data = data_for(what.model);
  config.threads = threads;
  const auto layout = state::layout_of(what.model);
  std::vector<float> theta(layout.parameters()), dense(layout.parameters());
  state::initial_parameters(what.model, 1, theta);
  fill_heavy_tailed(dense, 2);
  const auto probe = trainer::make_loss_probe(config, theta).value();
  const auto format = compression::two_part_format(what.keep, compression::ValueFormat::kSign);
  auto payload = std::make_shared<const compression::DecodedPayload>(
      compression::decode_parts(layout, compression::compress(layout, format, dense).value())
          .value());
  MUSTER_CHECK(probe->apply(payload->whole).has_value(), "a step to undo");
  std::vector<std::uint64_t> screen(kScreenSequences), own(kOwn), shared(kShared);
  std::iota(screen.begin(), screen.end(), 0u);
  std::iota(own.begin(), own.end(), 100u);
  std::iota(shared.begin(), shared.end(), 200u);
  const int reps = small() ? 1 : 5;
  const double forward = seconds(
      [&] { (void)probe->losses(protocol::ProbePoint::kCurrent, nullptr, 0, screen).value(); },
      reps);
  const double gradient =
      seconds([&] { MUSTER_CHECK(probe->compute_gradient(screen).has_value(), "gradient"); }, reps);
  volatile double sink = 0;
  const double cosine =
      seconds([&] { sink = sink + probe->gradient_cosine(payload->whole).value(); }, reps * 4);
  const std::atomic<bool> never{false};
  verify::ScoreTask task{
      .round = Round{1},
      .probe_step = 0.4f,
      .shared_sequences = shared,
      .items = {},
      .context = what.model.context,
      .window_seed = {},
      .aggregate = std::shared_ptr<const compression::SparseUpdate>(payload, &payload->whole)};
  constexpr std::uint16_t kMiners = 4;
  for (std::uint16_t m = 0; m < kMiners; ++m) task.items.push_back({Uid{m}, payload, own, 0.25f});
  const double miner =
      seconds([&] { (void)verify::score(*probe, task, never).value(); }, std::max(1, reps / 2)) /
      kMiners;
  std::printf("%-20s %10llu %11.2f %10.2f %12.4f %14.6f %12.2f\n", what.name,
              static_cast<unsigned long long>(layout.parameters()), 1e3 * forward,
              gradient / forward, 1e3 * cosine, cosine / forward, miner / forward);
  return {{"case", what.name},
          {"parameters", layout.parameters()},
          {"keep", what.keep},
          {"forward_ms", 1e3 * forward},
          {"gradient_in_forwards", gradient / forward},
          {"screen_ms", 1e3 * cosine},
          {"screen_in_forwards", cosine / forward},
          {"score_in_forwards", miner / forward}};
}

int run(int argc, char** argv) {
  unsigned threads = 1;
  std::string json;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::string(argv[i]) == "--threads")
      threads = static_cast<unsigned>(std::atoi(argv[i + 1]));
    if (std::string(argv[i]) == "--json") json = argv[i + 1];
  }
  std::printf(
      "a forward pass is over the screen's %u sequences; a score is of %u own and %u shared ones; "
      "%u threads\n",
      kScreenSequences, kOwn, kShared, threads);
  std::printf("%-20s %10s %11s %10s %12s %14s %12s\n", "model", "parameters", "forward ms",
              "gradient", "screen ms", "screen", "score");
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  bool met = true;
  for (const Case& what : cases()) {
    rows.push_back(measure(what, threads));
    met = met && rows.back()["screen_in_forwards"].get<double>() < kScreenTarget;
  }
  std::printf("a screen costs less than 1/100 of a forward pass: %s\n", met ? "yes" : "NO");
  if (!json.empty()) std::ofstream(json) << rows.dump(1) << "\n";
  return 0;
}

}  // namespace
}  // namespace muster::bench

int main(int argc, char** argv) { return muster::bench::run(argc, argv); }
