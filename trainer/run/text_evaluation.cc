#include "trainer/run/text_evaluation.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace muster::trainer {
namespace {

constexpr std::size_t kTokensAtOnce = 16384;

// −log softmax(logits)[target].
double cross_entropy(std::span<const float> logits, std::size_t target) {
  const auto largest = static_cast<double>(*std::ranges::max_element(logits));
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - largest);
  return std::log(sum) + largest - static_cast<double>(logits[target]);
}

// Of the last `count` tokens, with as much before them as the context holds.
double loss_of_end(Llama& engine, std::span<const float> theta, std::uint32_t context,
                   std::span<const std::int32_t> tokens, std::size_t count) {
  const std::size_t seen = std::min<std::size_t>(context, tokens.size() - 1);
  const auto input = tokens.subspan(tokens.size() - 1 - seen, seen);
  const std::vector<float> logits = engine.logits(theta, input);
  const std::size_t vocab = logits.size() / seen;
  double total = 0;
  for (std::size_t i = seen - count; i < seen; ++i)
    total += cross_entropy(std::span(logits).subspan(i * vocab, vocab),
                           static_cast<std::size_t>(tokens[tokens.size() - seen + i]));
  return total;
}

}  // namespace

Result<Evaluation> evaluate_text(Llama& engine, std::span<const float> theta, std::uint32_t context,
                                 std::span<const std::int32_t> tokens,
                                 const std::atomic<bool>& stop) {
  if (tokens.size() < 2)
    return Error{Errc::kInvalidArgument,
                 "a text of " + std::to_string(tokens.size()) +
                     " tokens; at least two are needed, the first is not predicted"};
  const std::size_t windows = (tokens.size() - 1) / context;
  const std::size_t at_once = std::max<std::size_t>(1, kTokensAtOnce / (context + 1));
  std::vector<std::int32_t> rows;
  std::vector<float> losses;
  double total = 0;
  for (std::size_t first = 0; first < windows; first += at_once) {
    if (stop) return Error{Errc::kCancelled, "stopped while measuring the loss"};
    losses.resize(std::min(at_once, windows - first));
    rows.clear();
    for (std::size_t i = 0; i < losses.size(); ++i) {
      const auto row = tokens.subspan((first + i) * context, context + 1);
      rows.insert(rows.end(), row.begin(), row.end());
    }
    engine.losses(theta, rows, losses);
    for (const float loss : losses) total += static_cast<double>(loss) * context;
  }
  const std::size_t rest = tokens.size() - 1 - windows * context;
  if (rest > 0) total += loss_of_end(engine, theta, context, tokens, rest);
  return Evaluation{total / static_cast<double>(tokens.size() - 1), windows + (rest > 0 ? 1 : 0),
                    tokens.size() - 1};
}

}  // namespace muster::trainer
