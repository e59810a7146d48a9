#include "trainer/run/evaluation.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace muster::trainer {
namespace {

constexpr std::uint64_t kTokensAtOnce = 16384;

}  // namespace

Result<Evaluation> evaluate(Llama& engine, std::span<const float> theta, const DataSet& data,
                            std::uint64_t sequences_max, const std::atomic<bool>& stop) {
  const auto losses_of = [&](std::span<const std::int32_t> tokens,
                             std::span<float> losses) -> Status {
    engine.losses(theta, tokens, losses);
    return {};
  };
  return evaluate(losses_of, data, sequences_max, stop);
}

Result<Evaluation> evaluate(const LossesOf& losses_of, const DataSet& data,
                            std::uint64_t sequences_max, const std::atomic<bool>& stop) {
  Evaluation evaluation;
  evaluation.sequences = std::min(sequences_max, data.sequences());
  evaluation.tokens = evaluation.sequences * data.context();
  const std::uint64_t at_once = std::max<std::uint64_t>(1, kTokensAtOnce / (data.context() + 1));
  std::vector<std::uint64_t> ids;
  std::vector<std::int32_t> tokens;
  std::vector<float> losses;
  double total = 0;
  for (std::uint64_t first = 0; first < evaluation.sequences; first += at_once) {
    if (stop) return Error{Errc::kCancelled, "stopped while measuring the loss"};
    ids.resize(std::min(at_once, evaluation.sequences - first));
    std::iota(ids.begin(), ids.end(), first);
    tokens.resize(ids.size() * (data.context() + 1));
    losses.resize(ids.size());
    MUSTER_TRY_STATUS(data.read(ids, tokens));
    MUSTER_TRY_STATUS(losses_of(tokens, losses));
    for (const float loss : losses) total += static_cast<double>(loss);
  }
  evaluation.loss = total / static_cast<double>(evaluation.sequences);
  return evaluation;
}

}  // namespace muster::trainer
