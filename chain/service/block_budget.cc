#include "chain/service/block_budget.h"

#include <algorithm>

#include "base/check.h"

namespace muster::chain {
namespace {

constexpr std::size_t kLengthBytes = 4;  // of the longest compact length before an extrinsic
constexpr std::uint32_t kIntervalMinMs = 400;

// Whether `cost` more than `used` is over `limit`; what alone is over it may be the first.
bool is_over(std::uint64_t used, std::uint64_t cost, std::uint64_t limit) {
  return used > 0 && used + std::min(cost, limit) > limit;
}

}  // namespace

BlockLimits block_limits(std::uint32_t block_ms) {
  BlockLimits limits;
  limits.time_ns = std::uint64_t{std::max(block_ms, kIntervalMinMs)} * 1'000'000 / 4;
  limits.paid_time_ns = limits.time_ns / 4 * 3;
  limits.signer_time_ns = limits.asker_time_ns = limits.time_ns / 8;
  limits.accounts_time_ns = limits.time_ns / 2;
  return limits;
}

std::string_view name_of(Overrun overrun) {
  switch (overrun) {
    case Overrun::kNone:
      return "within the budget";
    case Overrun::kExtrinsicTooLarge:
      return "an extrinsic has at most 64 KiB";
    case Overrun::kBlockBytes:
      return "this block has no bytes left; submit again in the next one";
    case Overrun::kBlockTime:
      return "this block has no time left; submit again in the next one";
    case Overrun::kSignerBytes:
      return "this signer has no bytes left in this block; submit again in the next one";
    case Overrun::kSignerTime:
      return "this signer has no time left in this block; submit again in the next one";
    case Overrun::kSignerFreeCalls:
      return "this signer has made as many free calls as one block allows; submit again in the "
             "next one";
    case Overrun::kAskerTime:
      return "too many questions and signatures from here in this block; ask again in the next one";
  }
  MUSTER_UNREACHABLE();
}

Overrun BlockBudget::charge_asker(AskerKind kind, const PublicKey& asker, std::uint64_t time_ns) {
  const bool is_account = kind == AskerKind::kAccount;
  if (is_account && is_over(accounts_ns_, time_ns, limits_.accounts_time_ns))
    return Overrun::kAskerTime;
  std::uint64_t& used = kind == AskerKind::kStranger ? strangers_ns_ : askers_[asker];
  if (is_over(used, time_ns, limits_.asker_time_ns)) return Overrun::kAskerTime;
  used += time_ns;
  if (is_account) accounts_ns_ += time_ns;
  return Overrun::kNone;
}

Overrun BlockBudget::check(const PublicKey& signer, const Cost& cost) const {
  const std::size_t bytes = cost.bytes + kLengthBytes;
  if (block_.bytes + bytes > (cost.is_free ? limits_.bytes : limits_.paid_bytes))
    return Overrun::kBlockBytes;
  if (is_over(block_.time_ns, cost.time_ns, cost.is_free ? limits_.time_ns : limits_.paid_time_ns))
    return Overrun::kBlockTime;
  const auto found = signers_.find(signer);
  if (found == signers_.end()) return Overrun::kNone;
  const Used& used = found->second;
  if (cost.is_free && used.free_calls >= limits_.signer_free_calls)
    return Overrun::kSignerFreeCalls;
  if (used.bytes + bytes > limits_.signer_bytes) return Overrun::kSignerBytes;
  if (is_over(used.time_ns, cost.time_ns, limits_.signer_time_ns)) return Overrun::kSignerTime;
  return Overrun::kNone;
}

void BlockBudget::charge_signer(const PublicKey& signer, const Cost& cost, bool applied) {
  Used& used = signers_[signer];
  used.free_calls += cost.is_free ? 1 : 0;
  used.time_ns += cost.time_ns;
  block_.time_ns += cost.time_ns;
  if (!applied) return;
  used.bytes += cost.bytes + kLengthBytes;
  block_.bytes += cost.bytes + kLengthBytes;
}

void BlockBudget::begin_block() {
  block_ = {};
  signers_.clear();
  askers_.clear();
  accounts_ns_ = strangers_ns_ = 0;
}

}  // namespace muster::chain
