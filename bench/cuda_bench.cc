// A card's kernels, each beside the card's own copy speed in the same run.
//
//   bench/run.sh cuda [--json FILE] -- [--params N] [--reps N] [--threads N] [--card I] [--only
//   kernels|training]
//                                      [--models 124m,1b] [--batch N] [--peers no|yes]
//
// Kernel times are the card's own, the median of the repetitions behind two that do not count; the
// whole call is the last repetition's, with transfers and entropy coding; copy speed counts bytes
// read and written. Before it is measured, what is measured is compared with the CPU. Without a
// card it says so in a line.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "base/parallel.h"
#include "bench/bench_size.h"
#include "bench/cuda_training.h"
#include "bench/measure.h"
#include "compression/error_feedback.h"
#include "cuda/gpu.h"

namespace muster {
namespace {

using namespace compression;
using nlohmann::ordered_json;

constexpr std::size_t kPayloads = 16;
constexpr double kBillion = 1e9;

struct Options {
  std::uint64_t blocks = bench::small() ? 16 : 262144;
  int reps = bench::small() ? 1 : 9;
  int card = 0;
  unsigned threads = std::max(1u, std::thread::hardware_concurrency());
  std::string json, only;
  bench::CudaTrainingOptions training{.models = {"124m", "1b"}};
};

class CudaBench {
 public:
  CudaBench(const Options& options, gpu::Card& card)
      : options_(options),
        card_(card),
        layout_(Layout::make({{"a", {options.blocks, kBlockElements}}}).value()),
        delta_(layout_.parameters()) {
    std::vector<float> pattern(std::min<std::uint64_t>(layout_.parameters(), 1 << 22));
    bench::fill_heavy_tailed(pattern, 1);
    for (std::uint64_t i = 0; i < delta_.size(); i += pattern.size())
      std::copy_n(pattern.begin(), std::min<std::uint64_t>(pattern.size(), delta_.size() - i),
                  delta_.begin() + static_cast<std::ptrdiff_t>(i));
  }

  ordered_json run() {
    const gpu::CardInfo info = card_.info();
    std::printf("%s, %.1f M parameters, %u threads of the host\n\n", info.name.c_str(),
                parameters() / 1e6, options_.threads);
    report_ = {{"card", info.name}, {"parameters", layout_.parameters()}};
    std::printf("%-28s %10s %12s %10s %8s %22s\n", "", "kernel ms", "ms per 1e9", "GB/s", "of copy",
                "whole call, host, ms");
    copy();
    for (std::uint32_t keep : {16u, 64u, 256u, 1024u})
      compress(two_part_format(keep, ValueFormat::kSign));
    for (std::uint32_t keep : {64u, 256u})
      compress(two_part_format(keep, ValueFormat::kSignMagnitude));
    add();
    step();
    targets();
    return report_;
  }

 private:
  double parameters() const { return static_cast<double>(layout_.parameters()); }

  // `host`: seconds of the host for what the card's call is only a part of; 0: not measured.
  void say(const std::string& name, double seconds, double bytes, double host) {
    const double share = bytes / seconds / copy_rate_;
    std::printf("%-28s %10.3f %12.3f %10.0f %8.2f ", name.c_str(), seconds * 1e3,
                seconds * 1e3 / parameters() * kBillion, bytes / seconds / 1e9, share);
    if (host > 0) std::printf("%22.1f", host * 1e3);
    std::printf("\n");
    report_["kernels"][name] = {
        {"seconds", seconds}, {"bytes", bytes}, {"of_copy", share}, {"host_seconds", host}};
  }

  // The median of the kernel's times; `work` is one call.
  double measured(const std::function<void()>& work) {
    std::vector<double> times;
    for (int rep = -2; rep < options_.reps; ++rep) {
      work();
      if (rep >= 0) times.push_back(card_.kernel_seconds());
    }
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
  }

  void copy() {
    auto from = card_.make_array(layout_.parameters()).value(),
         to = card_.make_array(layout_.parameters()).value();
    from->write(delta_).value();
    const double seconds = measured([&] { card_.copy(*from, *to).value(); });
    copy_rate_ = parameters() * 8 / seconds;
    say("copy", seconds, parameters() * 8, 0);
  }

  void compress(const PayloadFormat& format) {
    auto made = card_.make_error_feedback(layout_).value();
    auto& feedback = dynamic_cast<gpu::ErrorFeedback&>(*made);
    feedback.delta().write(delta_).value();
    Selection selection = feedback.select(format).value();
    const Payload payload = payload_of(layout_, selection, options_.threads).value();
    MUSTER_CHECK(
        payload == compression::compress(layout_, format, delta_, options_.threads).value(),
        "the CPU's payload is another");
    // The array that was e takes Δ's place, so every round has numbers to choose from.
    double coding = 0, whole = 0;
    const double seconds = measured([&] {
      feedback.settle_delivered(1).value();
      whole = bench::seconds([&] { selection = feedback.select(format).value(); }, 1);
      coding = bench::seconds(
          [&] { (void)payload_of(layout_, selection, options_.threads).value(); }, 1);
    });
    const double kept = parameters() * format.keep / kBlockElements;
    const std::string name =
        "compress " + std::string(name_of(format.values)) + " k=" + std::to_string(format.keep);
    say(name, seconds, parameters() * 12 + kept * 6, whole + coding);
  }

  void add() {
    const PayloadFormat format = two_part_format(64, ValueFormat::kSign);
    std::vector<gpu::BlockwiseEntries> payloads;
    auto made = card_.make_error_feedback(layout_).value();
    auto& feedback = dynamic_cast<gpu::ErrorFeedback&>(*made);
    feedback.delta().write(delta_).value();
    double entries = 0;
    for (std::size_t p = 0; p < kPayloads; ++p) {
      const Payload payload =
          payload_of(layout_, feedback.select(format).value(), options_.threads).value();
      feedback.settle_delivered(1).value();
      payloads.push_back(gpu::decode_blockwise(layout_, payload, options_.threads).value());
      entries += static_cast<double>(payloads.back().values.size());
    }
    made.reset();
    const std::vector<float> weights(kPayloads, 1.0f / kPayloads);
    auto sum = card_.make_array(layout_.parameters()).value();
    const double seconds = measured([&] { card_.add(layout_, *sum, payloads, weights).value(); });
    say("add 16 payloads k=64", seconds, parameters() * 8 + entries * 6, 0);
  }

  void step() {
    const PayloadFormat format{256, ValueFormat::kSignMagnitude};
    const auto aggregate =
        gpu::decode_blockwise(
            layout_, compression::compress(layout_, format, delta_, options_.threads).value(),
            options_.threads)
            .value();
    auto theta = card_.make_array(layout_.parameters()).value();
    const double seconds =
        measured([&] { card_.outer_step(layout_, *theta, aggregate, 0.7f).value(); });
    say("outer step k=256", seconds, static_cast<double>(aggregate.values.size()) * 14, 0);
  }

  void target(const std::string& name, double goal, double measured, bool met) {
    std::printf("%-68s %8.2f %8.2f  %s\n", name.c_str(), goal, measured, met ? "met" : "MISSED");
    report_["targets"].push_back(
        {{"target", name}, {"goal", goal}, {"measured", measured}, {"met", met}});
  }

  void targets() {
    std::printf("\n%-68s %8s %8s\n", "", "target", "measured");
    const auto& compress = report_["kernels"]["compress sign k=64"];
    const double share = compress["of_copy"];
    target("compress with EF, sign, k = 64, of copy bandwidth: at least", 0.7, share, share >= 0.7);
    const double ms = compress["seconds"].get<double>() * 1e3 / parameters() * kBillion;
    target("compress with EF, sign, k = 64, 1e9 parameters, ms: at most", 6, ms, ms <= 6);
  }

  Options options_;
  gpu::Card& card_;
  Layout layout_;
  std::vector<float> delta_;
  double copy_rate_ = 0;
  ordered_json report_;
};

ordered_json run(const Options& options) {
  const auto cards = gpu::load_cards(MUSTER_LIBRARY_DIR);
  auto card =
      cards ? (*cards)->open(options.card) : Result<std::unique_ptr<gpu::Card>>(cards.error());
  if (!card) {
    std::printf("no card to measure: %s\n", card.error().message.c_str());
    return {{"card", nullptr}, {"why", card.error().message}};
  }
  ordered_json report = {{"card", (*card)->info().name}};
  if (options.only != "training") report = CudaBench(options, **card).run();
  if (options.only != "kernels") {
    std::printf("\n%s, training\n", (*card)->info().name.c_str());
    report["training"] = bench::measure_training(**card, options.training);
  }
  return report;
}

std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> found;
  for (std::size_t begin = 0, end = 0; begin < text.size(); begin = end + 1) {
    end = std::min(text.find(',', begin), text.size());
    found.push_back(text.substr(begin, end - begin));
  }
  return found;
}

}  // namespace
}  // namespace muster

int main(int argc, char** argv) {
  using namespace muster;
  Options options;
  if (bench::small()) options.training = {.models = {"smoke"}, .steps = 1, .has_peers = false};
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    const bool known = name == "--json" || name == "--params" || name == "--reps" ||
                       name == "--threads" || name == "--card" || name == "--only" ||
                       name == "--models" || name == "--batch" || name == "--peers";
    if (!known || i + 1 == argc) {
      std::fprintf(
          stderr,
          "usage: bench_cuda [--json FILE] [--params N] [--reps N] [--threads N] [--card I]\n"
          "                  [--only kernels|training] [--models 124m,1b] [--batch N] [--peers "
          "no|yes]\n");
      return 2;
    }
    const char* value = argv[i + 1];
    if (name == "--json") options.json = value;
    if (name == "--reps") options.reps = std::max(1, std::atoi(value));
    if (name == "--only") options.only = value;
    if (name == "--models") options.training.models = words(value);
    if (name == "--batch")
      options.training.batch = static_cast<std::uint32_t>(std::max(1, std::atoi(value)));
    if (name == "--peers") options.training.has_peers = std::string(value) == "yes";
    if (name == "--reps") options.training.steps = std::max(1, std::atoi(value));
    if (name == "--card") options.card = std::atoi(value);
    if (name == "--threads") options.threads = static_cast<unsigned>(std::max(1, std::atoi(value)));
    if (name == "--params")
      options.blocks = std::max<std::uint64_t>(
          1, std::strtoull(value, nullptr, 10) / compression::kBlockElements);
  }
  const auto report = run(options);
  if (!options.json.empty()) std::ofstream(options.json) << report.dump(1) << "\n";
  return 0;
}
