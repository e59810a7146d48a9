// Compression and aggregation, each beside this machine's own copy speed in the same run.
//
//   bench/run.sh compression [--json FILE] -- [--params N] [--data FILE] [--reps N] [--peer FILE]
//
// --peer: what bench/peers/templar_codec.py printed, to compare with.
// --data: fp32 numbers, repeated as often as needed, instead of heavy-tailed random ones: the
// buffer of a run comes from `muster inspect state FILE --residual OUT --round N --miner NAME`.
// Times are the best of the repetitions; copy speed counts bytes read and written.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "base/file.h"
#include "base/parallel.h"
#include "bench/bench_size.h"
#include "bench/measure.h"
#include "compression/error_feedback.h"
#include "compression/kernels.h"
#include "compression/segmented_blob.h"
#include "state/aggregate.h"
#include "state/outer_step.h"
#include "state/weighted_sum.h"

namespace muster {
namespace {

using namespace compression;
using bench::seconds;
using nlohmann::ordered_json;

constexpr std::size_t kPayloads = 16;

struct Options {
  std::uint64_t blocks = bench::blocks();
  int reps = 5;
  std::string data, json, peer;
};

std::vector<float> synthetic(std::uint64_t count) {
  std::vector<float> dense(count);
  bench::fill_heavy_tailed(dense, 1);
  return dense;
}

std::vector<float> read_update(const std::string& path, std::uint64_t count) {
  const Bytes file = read_file(path, std::uint64_t{8} << 30).value();
  std::vector<float> dense(count);
  for (std::uint64_t i = 0; i < count; ++i)
    std::memcpy(&dense[i], file.data() + i % (file.size() / 4) * 4, 4);
  return dense;
}

// log2 C(4096, k) / k.
double bound_bits(double k) {
  if (k >= kBlockElements) return 0;
  return (std::lgamma(4097) - std::lgamma(k + 1) - std::lgamma(4097 - k)) / std::log(2) / k;
}

double relative_mse(std::span<const float> dense, const SparseUpdate& update) {
  double error = 0, square = 0;
  for (std::size_t i = 0; i < update.indices.size(); ++i) {
    const auto value = static_cast<double>(dense[update.indices[i]]);
    error += std::pow(value - static_cast<double>(update.values[i]), 2);
    square += value * value;
  }
  return square > 0 ? error / square : 0;
}

std::uint64_t bytes_of_payload(const Payload& payload) {
  std::uint64_t bytes = 0;
  for (const Bytes& segment : payload.segments) bytes += segment.size();
  return bytes;
}

class Bench {
 public:
  explicit Bench(const Options& options)
      : options_(options),
        layout_(Layout::make({{"a", {options.blocks, kBlockElements}}}).value()),
        dense_(options.data.empty() ? synthetic(layout_.parameters())
                                    : read_update(options.data, layout_.parameters())),
        scratch_(dense_.size(), 0.0f) {
    report_["parameters"] = layout_.parameters();
    report_["kernels"] = kernels().name;
    report_["data"] = options.data.empty() ? "synthetic" : options.data;
  }

  ordered_json run() {
    rates_and_distortion();
    level_entropy();
    for (unsigned threads : {1u, 2u}) speeds(threads);
    targets();
    return report_;
  }

 private:
  double parameters() const { return static_cast<double>(layout_.parameters()); }

  void rates_and_distortion() {
    std::printf("%s kernels, %.1f M parameters, %s\n\n", std::string(kernels().name).c_str(),
                parameters() / 1e6, report_["data"].get<std::string>().c_str());
    std::printf("   k  values     bits/index  bound   bits/value  bytes/param  relative MSE\n");
    for (std::uint32_t keep : {8u, 16u, 32u, 64u, 128u, 256u, 512u, 1024u, 4096u})
      for (std::uint8_t values = 0; values < kValueFormats; ++values)
        rate({keep, static_cast<ValueFormat>(values)});
  }

  void rate(const PayloadFormat& format) {
    const Payload payload = compress(layout_, format, dense_, 2).value();
    const SparseUpdate update = decode(layout_, payload).value();
    const Payload floats =
        compress(layout_, {format.keep, ValueFormat::kFloat32}, dense_, 2).value();
    const auto entries = static_cast<double>(update.indices.size());
    const double index_bits = static_cast<double>(bytes_of_payload(floats)) * 8 / entries - 32;
    const double all_bits = static_cast<double>(bytes_of_payload(payload)) * 8 / entries;
    const ordered_json row{{"k", format.keep},
                           {"values", name_of(format.values)},
                           {"bits_per_index", index_bits},
                           {"bound_bits_per_index", bound_bits(format.keep)},
                           {"bits_per_value", all_bits - index_bits},
                           {"bytes_per_parameter", all_bits * entries / 8 / parameters()},
                           {"relative_mse", relative_mse(dense_, update)}};
    std::printf("%4u  %-9s  %10.3f  %6.3f  %10.3f  %11.5f  %12.5f\n", format.keep,
                std::string(name_of(format.values)).c_str(), index_bits, bound_bits(format.keep),
                all_bits - index_bits, row["bytes_per_parameter"].get<double>(),
                row["relative_mse"].get<double>());
    report_["rates"].push_back(row);
  }

  // Bits that magnitude levels take, over the entropy of how often each occurs.
  void level_entropy() {
    for (const ValueFormat values :
         {ValueFormat::kSignMagnitude, ValueFormat::kMagnitude2, ValueFormat::kMagnitude3}) {
      const PayloadFormat format{64, values};
      const std::size_t levels = std::size_t{1} << level_bits(values);
      const Payload payload = compress(layout_, format, dense_, 2).value();
      std::vector<std::array<double, 8>> counts(layout_.segment_count());
      MUSTER_CHECK(for_each_block(layout_, payload, 2,
                                  [&](std::size_t s, const Block&, const BlockEntries& entries) {
                                    std::set<float> used;
                                    for (float value : entries.values)
                                      used.insert(std::fabs(value));
                                    for (float value : entries.values)
                                      ++counts[s][static_cast<std::size_t>(std::distance(
                                          used.begin(), used.find(std::fabs(value))))];
                                  })
                       .has_value(),
                   "a payload of our own");
      double entropy = 0, entries = 0;
      for (const auto& segment : counts) {
        double total = 0;
        for (double count : segment) total += count;
        for (double count : segment)
          if (count > 0) entropy -= count * std::log2(count / total);
        entries += total;
      }
      const auto row = row_of(format);
      const double scales = 16.0 * static_cast<double>(levels * layout_.block_count()) / entries;
      const double ratio = (row["bits_per_value"].get<double>() - 1 - scales) / (entropy / entries);
      report_["levels"].push_back(
          {{"values", name_of(values)}, {"entropy_bits", entropy / entries}, {"ratio", ratio}});
    }
  }

  const ordered_json& row_of(const PayloadFormat& format) const {
    for (const auto& row : report_["rates"])
      if (row["k"] == format.keep && row["values"] == name_of(format.values)) return row;
    MUSTER_CHECK(false, "a format that was not measured");
  }

  // Bytes read and written per second.
  double copy_rate(unsigned threads) {
    const double time = seconds(
        [&] {
          (void)parallel_for(layout_.segment_count(), threads, [&] {
            return [&](std::size_t s) -> Status {
              const auto& segment = layout_.segment(static_cast<std::uint32_t>(s));
              std::memcpy(scratch_.data() + segment.offset, dense_.data() + segment.offset,
                          segment.elements * sizeof(float));
              return {};
            };
          });
        },
        options_.reps);
    return parameters() * 8 / time;
  }

  void speeds(unsigned threads) {
    std::printf("\n%u thread%s, parameters per second; copy in GB/s read + written\n", threads,
                threads == 1 ? "" : "s");
    std::printf(
        "   k    copy   compress + EF  of copy    decode  aggregate of 16  seal of 16  copies of θ "
        " "
        "without checks\n");
    for (std::uint32_t keep : {16u, 64u, 256u, 1024u}) speed(keep, threads);
  }

  void speed(std::uint32_t keep, unsigned threads) {
    double copy = copy_rate(threads);
    const PayloadFormat uplink = two_part_format(keep, ValueFormat::kSign);
    std::fill(scratch_.begin(), scratch_.end(), 0.0f);
    std::vector<float> delta = dense_;
    ErrorFeedback feedback(scratch_, delta);
    Payload payload;
    const double compress_time = seconds(
        [&] {
          payload = feedback.compress(layout_, uplink, threads).value();
          feedback.settle_delivered(1);
        },
        options_.reps);
    const auto bytes = static_cast<double>(bytes_of_payload(payload));
    const double decode_time =
        seconds([&] { (void)summarise(layout_, payload, threads).value(); }, options_.reps);

    std::vector<Payload> payloads;
    for (std::size_t i = 0; i < kPayloads; ++i) {
      payloads.push_back(feedback.compress(layout_, uplink, threads).value());
      feedback.settle_delivered(1);
    }
    const double aggregate_time =
        seconds([&] { aggregate(payloads, uplink, threads); }, options_.reps);
    const double seal_time = seconds([&] { seal(payloads, keep, threads); }, options_.reps);
    copy = std::max(copy, copy_rate(threads));
    const double share = (parameters() * 12 + bytes) / compress_time / copy;
    const double seal_copies = seal_time / (parameters() * 8 / copy);
    const double unchecked = (seal_time - decode_time * kPayloads) / (parameters() * 8 / copy);
    std::printf("%4u  %6.1f  %12.0f M  %7.2f  %6.0f M  %13.0f M  %8.0f M  %11.1f  %14.1f\n", keep,
                copy / 1e9, parameters() / compress_time / 1e6, share,
                parameters() / decode_time / 1e6, parameters() / aggregate_time / 1e6,
                parameters() / seal_time / 1e6, seal_copies, unchecked);
    report_["speeds"].push_back({{"k", keep},
                                 {"threads", threads},
                                 {"uplink_bytes_per_parameter", bytes / parameters()},
                                 {"copy_bytes_per_s", copy},
                                 {"compress_params_per_s", parameters() / compress_time},
                                 {"compress_of_copy", share},
                                 {"decode_params_per_s", parameters() / decode_time},
                                 {"aggregate16_params_per_s", parameters() / aggregate_time},
                                 {"seal16_params_per_s", parameters() / seal_time},
                                 {"seal16_copies_of_theta", seal_copies},
                                 {"seal16_without_checks_copies_of_theta", unchecked}});
  }

  // Sum of the payloads with a weight each, onto what is there.
  void aggregate(const std::vector<Payload>& payloads, const PayloadFormat& format,
                 unsigned threads) {
    const SegmentGaps gaps(format);
    const std::vector<float> weights(payloads.size(), 1.0f / static_cast<float>(payloads.size()));
    std::vector<const Payload*> pointers;
    for (const Payload& payload : payloads) pointers.push_back(&payload);
    const Status status = parallel_for(layout_.segment_count(), threads, [&] {
      return [&, sum = state::WeightedSum(layout_, gaps, pointers, weights)](
                 std::size_t s) mutable -> Status {
        MUSTER_TRY_STATUS(sum.open(static_cast<std::uint32_t>(s)));
        const auto& segment = layout_.segment(static_cast<std::uint32_t>(s));
        const std::span<float> all(scratch_);
        for (std::uint32_t b = 0; b < segment.blocks; ++b) {
          const Block& block = layout_.block(segment.first_block + b);
          const auto behind = all.subspan(block.offset + block.elements);
          MUSTER_TRY_STATUS(
              sum.add_block(all.subspan(block.offset, block.elements),
                            behind.first(std::min<std::size_t>(behind.size(), kBlockElements))));
        }
        return {};
      };
    });
    MUSTER_CHECK(status.has_value(), "payloads of our own");
  }

  // Norms, clip, average, downlink with its error feedback, the aggregate's id, the step of θ.
  void seal(const std::vector<Payload>& payloads, std::uint32_t keep, unsigned threads) {
    std::vector<state::Contribution> contributions;
    for (const Payload& payload : payloads)
      contributions.push_back({1000, &payload, summarise(layout_, payload, threads).value().norm});
    const PayloadFormat downlink{std::min(4 * keep, kBlockElements), ValueFormat::kSignMagnitude};
    const auto sealed =
        state::seal_aggregate(layout_, contributions, {}, downlink, 1.0f, scratch_, threads)
            .value();
    (void)blob_id(write_blob({{}, sealed.aggregate.segments}), threads).value();
    MUSTER_CHECK(state::outer_step(dense_, layout_, sealed.aggregate, 0.0f, threads).has_value(),
                 "an aggregate of our own");
  }

  double speed_of(const char* key, std::uint32_t keep, unsigned threads) const {
    for (const auto& row : report_["speeds"])
      if (row["k"] == keep && row["threads"] == threads) return row[key];
    return 0;
  }

  void target(const std::string& name, double measured, bool met) {
    std::printf("%-68s %8.3f  %s\n", name.c_str(), measured, met ? "met" : "MISSED");
    report_["targets"].push_back({{"target", name}, {"measured", measured}, {"met", met}});
  }

  void targets() {
    std::printf("\n%-68s %8s\n", "target", "measured");
    double worst = 0, bytes64 = 0;
    for (const auto& row : report_["rates"]) {
      const auto keep = row["k"].get<std::uint32_t>();
      if (keep >= 16 && keep <= 512)
        worst = std::max(
            worst, row["bits_per_index"].get<double>() / row["bound_bits_per_index"].get<double>());
      if (keep == 64 && row["values"] == "sign") bytes64 = row["bytes_per_parameter"];
    }
    target("bits per index, k = 16…512, over the bound: at most 1.01", worst, worst <= 1.01);
    target("bytes per parameter at k = 64: at most 0.0170", bytes64, bytes64 <= 0.0170);
    double levels = 0;
    for (const auto& row : report_["levels"]) levels = std::max(levels, row["ratio"].get<double>());
    target("bits per level over their entropy: at most 1.02", levels, levels <= 1.02);
    const double compress = speed_of("compress_of_copy", 64, 1);
    target("compress with EF at k = 64, of copy bandwidth: at least 0.5", compress,
           compress >= 0.5);
    const double seal = speed_of("seal16_copies_of_theta", 64, 1);
    target("seal of 16 at k = 64, in copies of θ: at most 10", seal, seal <= 10);
    for (const char* key :
         {"compress_params_per_s", "aggregate16_params_per_s", "seal16_params_per_s"}) {
      const double gain = speed_of(key, 64, 2) / speed_of(key, 64, 1);
      target(std::string("two threads over one, ") + key + ": at least 1.8", gain, gain >= 1.8);
    }
    if (options_.peer.empty()) return;
    const auto peer = nlohmann::json::parse(std::ifstream(options_.peer));
    for (const auto& [key, least] :
         {std::pair{"compress_params_per_s", 10.0}, {"aggregate16_params_per_s", 8.0}}) {
      const double gain = speed_of(key, 64, 1) / peer.at(key).get<double>();
      target(std::string(key) + " at k = 64 over " + peer.at("codec").get<std::string>() +
                 ": at least " + std::to_string(static_cast<int>(least)),
             gain, gain >= least);
    }
  }

  Options options_;
  Layout layout_;
  std::vector<float> dense_, scratch_;
  ordered_json report_;
};

int usage(const char* problem) {
  std::fprintf(stderr,
               "bench_compression: %s\nusage: bench_compression [--json FILE] [--params N] "
               "[--data FILE] [--reps N] [--peer FILE]\n",
               problem);
  return 2;
}

}  // namespace
}  // namespace muster

int main(int argc, char** argv) {
  using namespace muster;
  Options options;
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    if (i + 1 == argc) return usage((name + " needs a value").c_str());
    if (name == "--json")
      options.json = argv[i + 1];
    else if (name == "--data")
      options.data = argv[i + 1];
    else if (name == "--peer")
      options.peer = argv[i + 1];
    else if (name == "--reps")
      options.reps = std::max(1, std::atoi(argv[i + 1]));
    else if (name == "--params")
      options.blocks =
          std::max<std::uint64_t>(1, std::strtoull(argv[i + 1], nullptr, 10) / kBlockElements);
    else
      return usage(("unknown option " + name).c_str());
  }
  const auto report = Bench(options).run();
  if (!options.json.empty()) std::ofstream(options.json) << report.dump(1) << "\n";
  return 0;
}
