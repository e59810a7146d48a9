#include "base/prng.h"

#include <set>
#include <utility>
#include <vector>

namespace muster {
namespace {

constexpr std::uint32_t kMultiplier0 = 0xD2511F53u;
constexpr std::uint32_t kMultiplier1 = 0xCD9E8D57u;
constexpr std::uint32_t kWeyl0 = 0x9E3779B9u;
constexpr std::uint32_t kWeyl1 = 0xBB67AE85u;

std::uint32_t low32(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
std::uint32_t high32(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); }

}  // namespace

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{kMultiplier0} * counter[0];
    const std::uint64_t product1 = std::uint64_t{kMultiplier1} * counter[2];
    counter = {high32(product1) ^ counter[1] ^ key[0], low32(product1),
               high32(product0) ^ counter[3] ^ key[1], low32(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

Prng::Prng(std::uint64_t seed, std::uint64_t stream)
    : key_{low32(seed), high32(seed)}, counter_{0, 0, low32(stream), high32(stream)} {}

Prng::Prng(const Hash& key)
    : Prng(ByteReader(ByteSpan(key.bytes).first(8)).read<std::uint64_t>(),
           ByteReader(ByteSpan(key.bytes).subspan(8, 8)).read<std::uint64_t>()) {}

std::uint32_t Prng::next_u32() {
  if (used_ == words_.size()) {
    words_ = philox4x32(counter_, key_);
    if (++counter_[0] == 0) ++counter_[1];
    used_ = 0;
  }
  return words_[used_++];
}

std::uint64_t Prng::next_u64() {
  const std::uint64_t low = next_u32();
  return std::uint64_t{next_u32()} << 32 | low;
}

std::uint64_t Prng::below(std::uint64_t bound) {
  MUSTER_CHECK(bound > 0, "a random number below 0");
  const std::uint64_t reject_below = (0 - bound) % bound;  // 2^64 mod bound
  for (;;) {
    const std::uint64_t word = next_u64();
    if (word >= reject_below) return word % bound;
  }
}

double Prng::uniform() { return static_cast<double>(next_u64() >> 11) * 0x1.0p-53; }

std::vector<std::uint64_t> sample_distinct(Prng& random, std::uint64_t population,
                                           std::size_t count) {
  MUSTER_CHECK(count <= population, "more samples than there are members");
  std::vector<std::uint64_t> drawn;
  std::set<std::uint64_t> seen;
  for (std::uint64_t last = population - count; last < population; ++last) {
    std::uint64_t candidate = random.below(last + 1);
    if (!seen.insert(candidate).second) seen.insert(candidate = last);
    drawn.push_back(candidate);
  }
  return drawn;
}

}  // namespace muster
