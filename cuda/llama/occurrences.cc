#include "cuda/llama/occurrences.h"

#include "base/check.h"

namespace muster::gpu {

Occurrences occurrences_of(std::span<const std::int32_t> tokens, std::size_t length,
                           std::size_t vocab) {
  MUSTER_CHECK(tokens.size() % (length + 1) == 0, "tokens that are not whole sequences");
  const std::size_t count = tokens.size() / (length + 1) * length;
  const auto token_at = [&](std::size_t m) {
    const std::int32_t token = tokens[m / length * (length + 1) + m % length];
    MUSTER_CHECK(token >= 0 && static_cast<std::size_t>(token) < vocab,
                 "a token outside the vocabulary");
    return static_cast<std::size_t>(token);
  };
  std::vector<std::uint32_t> next(vocab + 1);
  for (std::size_t m = 0; m < count; ++m) ++next[token_at(m) + 1];
  Occurrences result;
  for (std::size_t token = 0; token < vocab; ++token) {
    const bool occurs = next[token + 1] > 0;
    next[token + 1] += next[token];
    if (!occurs) continue;
    result.tokens.push_back(static_cast<std::uint32_t>(token));
    result.ends.push_back(next[token + 1]);
  }
  result.rows.resize(count);
  for (std::size_t m = 0; m < count; ++m)
    result.rows[next[token_at(m)]++] = static_cast<std::uint32_t>(m);
  return result;
}

}  // namespace muster::gpu
