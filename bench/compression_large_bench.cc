// Compression and sealing of a model that fills the memory, on mapped files.
//
//   bench/run.sh compression_large [--json FILE] -- [--params N] [--folder DIR] [--threads N]
//   [--keep K]
//
// A miner's error feedback and Δ, then a coordinator's θ and residual, are files of 4 bytes per
// parameter in DIR, made and removed by this program. Private memory is what a process holds
// besides them.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "base/file.h"
#include "base/parallel.h"
#include "bench/bench_size.h"
#include "bench/measure.h"
#include "compression/error_feedback.h"
#include "compression/segmented_blob.h"
#include "state/aggregate.h"
#include "state/outer_step.h"

namespace muster {
namespace {

using namespace compression;
namespace fs = std::filesystem;

constexpr std::size_t kPayloads = 16;

struct Options {
  std::uint64_t blocks = bench::blocks();
  fs::path folder = fs::temp_directory_path();
  std::string json;
  unsigned threads = 2;
  std::uint32_t keep = 64;
};

// A file of fp32 zeros, mapped, that goes with this object.
class MappedFloats {
 public:
  MappedFloats(const fs::path& path, std::uint64_t count)
      : path_(path), file_(MappedFile::create(path, count * sizeof(float)).value()) {}
  ~MappedFloats() { fs::remove(path_); }
  MappedFloats(const MappedFloats&) = delete;
  MappedFloats& operator=(const MappedFloats&) = delete;
  std::span<float> values() {
    const auto bytes = file_.writable();
    return {reinterpret_cast<float*>(bytes.data()), bytes.size() / sizeof(float)};
  }

 private:
  fs::path path_;
  MappedFile file_;
};

// Private memory of this process in bytes.
double private_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    double kib = 0;
    if (word == "RssAnon:" && status >> kib) return kib * 1024;
  }
  return 0;
}

class LargeBench {
 public:
  explicit LargeBench(const Options& options)
      : options_(options),
        layout_(Layout::make({{"a", {options.blocks, kBlockElements}}}).value()) {
    report_ = {
        {"parameters", layout_.parameters()}, {"threads", options.threads}, {"k", options.keep}};
  }

  nlohmann::ordered_json run() {
    std::printf("%.1f M parameters on mapped files in %s, %u threads, k = %u\n",
                static_cast<double>(layout_.parameters()) / 1e6, options_.folder.c_str(),
                options_.threads, options_.keep);
    const std::vector<Payload> payloads = compress_all();
    seal(payloads);
    return report_;
  }

 private:
  void say(const char* what, const char* key, double seconds) {
    std::printf("%-44s %8.2f s  %7.0f M parameters/s  private memory %6.0f MB\n", what, seconds,
                static_cast<double>(layout_.parameters()) / seconds / 1e6, private_memory() / 1e6);
    report_[key] = {{"seconds", seconds},
                    {"params_per_s", static_cast<double>(layout_.parameters()) / seconds},
                    {"private_bytes", private_memory()}};
  }

  std::vector<Payload> compress_all() {
    MappedFloats residual(options_.folder / "muster-bench-residual.f32", layout_.parameters());
    MappedFloats delta(options_.folder / "muster-bench-delta.f32", layout_.parameters());
    MUSTER_CHECK(parallel_for(layout_.segment_count(), options_.threads,
                              [&] {
                                return [&](std::size_t s) -> Status {
                                  const auto& segment =
                                      layout_.segment(static_cast<std::uint32_t>(s));
                                  bench::fill_heavy_tailed(
                                      delta.values().subspan(segment.offset, segment.elements), s);
                                  return {};
                                };
                              })
                     .has_value(),
                 "filled");
    say("copy Δ (for comparison)", "copy",
        bench::seconds([&] { copy(delta.values(), residual.values()); }, 2));
    ErrorFeedback feedback(residual.values(), delta.values());
    std::vector<Payload> payloads;
    double best = 1e30;
    for (std::size_t i = 0; i < kPayloads; ++i) {
      best = std::min(
          best, bench::seconds(
                    [&] {
                      payloads.push_back(
                          feedback
                              .compress(layout_, two_part_format(options_.keep, ValueFormat::kSign),
                                        options_.threads)
                              .value());
                    },
                    1));
      feedback.settle_delivered(1);
    }
    say("compress with error feedback", "compress", best);
    return payloads;
  }

  void copy(std::span<const float> from, std::span<float> to) {
    MUSTER_CHECK(
        parallel_for(layout_.segment_count(), options_.threads,
                     [&] {
                       return [&](std::size_t s) -> Status {
                         const auto& segment = layout_.segment(static_cast<std::uint32_t>(s));
                         std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(segment.offset),
                                     segment.elements,
                                     to.begin() + static_cast<std::ptrdiff_t>(segment.offset));
                         return {};
                       };
                     })
            .has_value(),
        "copied");
  }

  void seal(const std::vector<Payload>& payloads) {
    MappedFloats theta(options_.folder / "muster-bench-theta.f32", layout_.parameters());
    MappedFloats residual(options_.folder / "muster-bench-residual.f32", layout_.parameters());
    copy(theta.values(), residual.values());  // so that no page is new
    std::vector<state::Contribution> contributions;
    say("check and measure 16 payloads", "check",
        bench::seconds(
            [&] {
              for (const Payload& payload : payloads)
                contributions.push_back(
                    {1, &payload, summarise(layout_, payload, options_.threads).value().norm});
            },
            1));
    const PayloadFormat downlink{std::min(4 * options_.keep, kBlockElements),
                                 ValueFormat::kSignMagnitude};
    Payload aggregate;
    say("sum, clip and compress them", "seal",
        bench::seconds(
            [&] {
              aggregate = state::seal_aggregate(layout_, contributions, {}, downlink, 1.0f,
                                                residual.values(), options_.threads)
                              .value()
                              .aggregate;
            },
            1));
    say("the aggregate's id", "id",
        bench::seconds(
            [&] {
              (void)blob_id(write_blob({{}, aggregate.segments}), options_.threads).value();
            },
            1));
    say("step θ", "step",
        bench::seconds(
            [&] {
              MUSTER_CHECK(
                  state::outer_step(theta.values(), layout_, aggregate, 1.0f, options_.threads)
                      .has_value(),
                  "an aggregate of our own");
            },
            1));
  }

  Options options_;
  Layout layout_;
  nlohmann::ordered_json report_;
};

}  // namespace
}  // namespace muster

int main(int argc, char** argv) {
  using namespace muster;
  Options options;
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    const bool known = name == "--json" || name == "--params" || name == "--folder" ||
                       name == "--threads" || name == "--keep";
    if (!known || i + 1 == argc) {
      std::fprintf(stderr,
                   "usage: bench_compression_large [--json FILE] [--params N] [--folder DIR] "
                   "[--threads N] [--keep K]\n");
      return 2;
    }
    const char* value = argv[i + 1];
    if (name == "--json") options.json = value;
    if (name == "--folder") options.folder = value;
    if (name == "--threads") options.threads = static_cast<unsigned>(std::max(1, std::atoi(value)));
    if (name == "--keep")
      options.keep = static_cast<std::uint32_t>(std::clamp(std::atoi(value), 1, 4096));
    if (name == "--params")
      options.blocks =
          std::max<std::uint64_t>(1, std::strtoull(value, nullptr, 10) / kBlockElements);
  }
  const auto report = LargeBench(options).run();
  if (!options.json.empty()) std::ofstream(options.json) << report.dump(1) << "\n";
  return 0;
}
