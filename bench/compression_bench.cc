// Compression and aggregation, beside this machine's own copy speed in the same run.
//
//   bench/run.sh compression        bytes/s are of the fp32 parameters gone through
#include <benchmark/benchmark.h>

#include <cstring>

#include "base/prng.h"
#include "bench/bench_size.h"
#include "compression/topk.h"
#include "state/aggregate.h"
#include "state/state_root.h"

namespace muster {
namespace {

using compression::Layout;
using compression::Payload;
using compression::PayloadFormat;
using compression::SparseUpdate;
using compression::ValueFormat;

Layout make_layout() {
  return Layout::make({{"a", {bench::blocks(), compression::kBlockElements}}}).value();
}

// Heavy-tailed, as error-feedback buffers are.
std::vector<float> make_update(const Layout& layout, std::uint64_t seed) {
  Prng random(seed);
  std::vector<float> dense(layout.parameters());
  for (float& x : dense) {
    const double u = random.uniform() * 2 - 1;
    x = static_cast<float>(u * u * u / (1.05 - u * u));
  }
  return dense;
}

void set_rate(benchmark::State& state, const Layout& layout) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(layout.parameters() * sizeof(float)));
}

void BM_Copy(benchmark::State& state) {
  const Layout layout = make_layout();
  const auto from = make_update(layout, 1);
  std::vector<float> to(from.size());
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), from.size() * sizeof(float));
    benchmark::DoNotOptimize(to.data());
    benchmark::ClobberMemory();
  }
  set_rate(state, layout);
}
BENCHMARK(BM_Copy);

void BM_TopK(benchmark::State& state) {
  const Layout layout = make_layout();
  const auto dense = make_update(layout, 1);
  std::vector<std::uint32_t> selected;
  for (auto _ : state) {
    for (std::uint64_t b = 0; b < layout.block_count(); ++b)
      benchmark::DoNotOptimize(compression::select_top(
          std::span(dense).subspan(layout.block(b).offset, layout.block(b).elements),
          static_cast<std::uint32_t>(state.range(0)), selected));
  }
  set_rate(state, layout);
}
BENCHMARK(BM_TopK)->Arg(64)->Arg(1024);

void BM_Compress(benchmark::State& state) {
  const Layout layout = make_layout();
  const auto dense = make_update(layout, 1);
  const PayloadFormat format{static_cast<std::uint32_t>(state.range(0)), ValueFormat::kSign};
  std::size_t bytes = 0;
  for (auto _ : state) {
    const Payload payload = compression::compress(layout, format, dense).value();
    bytes = 0;
    for (const Bytes& segment : payload.segments) bytes += segment.size();
  }
  set_rate(state, layout);
  state.counters["bytes_per_parameter"] =
      static_cast<double>(bytes) / static_cast<double>(layout.parameters());
}
BENCHMARK(BM_Compress)->Arg(64)->Arg(1024);

void BM_Decode(benchmark::State& state) {
  const Layout layout = make_layout();
  const PayloadFormat format{static_cast<std::uint32_t>(state.range(0)), ValueFormat::kSign};
  const Payload payload = compression::compress(layout, format, make_update(layout, 1)).value();
  for (auto _ : state) benchmark::DoNotOptimize(compression::decode(layout, payload));
  set_rate(state, layout);
}
BENCHMARK(BM_Decode)->Arg(64)->Arg(1024);

void BM_SealAggregate16(benchmark::State& state) {
  const Layout layout = make_layout();
  std::vector<SparseUpdate> updates;
  for (std::uint64_t seed = 1; seed <= 16; ++seed)
    updates.push_back(
        compression::decode(layout, compression::compress(layout, {64, ValueFormat::kSign},
                                                          make_update(layout, seed))
                                        .value())
            .value());
  std::vector<state::Contribution> contributions;
  for (const auto& update : updates)
    contributions.push_back({1000, &update, compression::norm(update)});
  std::vector<float> residual(layout.parameters(), 0.0f);
  for (auto _ : state)
    benchmark::DoNotOptimize(state::seal_aggregate(layout, contributions, {},
                                                   {256, ValueFormat::kSignMagnitude}, 1.0f,
                                                   residual));
  set_rate(state, layout);
}
BENCHMARK(BM_SealAggregate16);

void BM_ParametersRoot(benchmark::State& state) {
  const Layout layout = make_layout();
  const auto theta = make_update(layout, 1);
  for (auto _ : state) benchmark::DoNotOptimize(state::parameters_root(layout, theta));
  set_rate(state, layout);
}
BENCHMARK(BM_ParametersRoot);

}  // namespace
}  // namespace muster
