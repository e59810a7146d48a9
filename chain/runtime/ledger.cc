#include "chain/runtime/ledger.h"

#include "chain/runtime/balances.h"
#include "chain/runtime/block_step.h"
#include "chain/runtime/dispatch.h"
#include "chain/runtime/views.h"

namespace muster::chain::runtime {

Bytes encode_block(const Block& block) { return scale_encode(block); }

Result<Block> decode_block(ByteSpan bytes) { return scale_decode<Block>(bytes); }

Hash block_hash(const Block& block) {
  return tagged_hash("muster/chain-block", encode_block(block));
}

Bytes encode_snapshot(const Snapshot& snapshot) { return scale_encode(snapshot); }

Result<Snapshot> decode_snapshot(ByteSpan bytes) { return scale_decode<Snapshot>(bytes); }

Ledger::Ledger(const Genesis& genesis)
    : genesis_(genesis),
      genesis_hash_(genesis_hash(genesis)),
      head_(genesis_hash_),
      state_(make_state(genesis)) {
  recent_hashes_.push_back(head_);
  begin_block();
}

Ledger::Ledger(const Genesis& genesis, Snapshot snapshot)
    : genesis_(genesis),
      genesis_hash_(snapshot.genesis),
      head_(snapshot.recent_hashes.back()),
      state_(std::move(snapshot.state)),
      recent_hashes_(snapshot.recent_hashes.begin(), snapshot.recent_hashes.end()) {}

Result<Ledger> Ledger::restore(const Genesis& genesis, Snapshot snapshot) {
  if (snapshot.genesis != genesis_hash(genesis))
    return Error{Errc::kWrongRun, "the snapshot is of another ledger"};
  if (snapshot.recent_hashes.empty() || snapshot.recent_hashes.size() > kBlockHashesKept)
    return Error{Errc::kMalformed, "the snapshot has no hashes of blocks, or too many"};
  if (const auto violations = find_violations(snapshot.state); !violations.empty())
    return Error{Errc::kMalformed, "the snapshot's state doesn't add up: " + violations.front()};
  return Ledger(genesis, std::move(snapshot));
}

Snapshot Ledger::snapshot() const {
  MUSTER_CHECK(pending_.empty(), "a snapshot within a block");
  return {genesis_hash_, {recent_hashes_.begin(), recent_hashes_.end()}, state_};
}

void Ledger::begin_block() {
  events_.clear();
  pending_.clear();
  step_block(state_, events_, genesis_.author, head_);
}

// ---- checks

std::uint32_t Ledger::nonce_of(const AccountId& account) const {
  const auto found = state_.accounts.find(account);
  return found == state_.accounts.end() ? 0 : found->second.nonce;
}

std::optional<Hash> Ledger::hash_of_block(std::uint64_t number) const {
  if (number == 0) return genesis_hash_;
  const std::uint64_t age = block_number() - number;
  if (number > block_number() || age >= recent_hashes_.size()) return std::nullopt;
  return recent_hashes_[recent_hashes_.size() - 1 - age];
}

std::optional<SigningContext> Ledger::signing_context(const Era& era) const {
  const auto birth = hash_of_block(era.birth(state_.block));
  if (!birth) return std::nullopt;
  return SigningContext{kSpecVersion, kTransactionVersion, genesis_hash_, *birth};
}

std::uint64_t Ledger::fee_of(const RuntimeCall& call, std::size_t extrinsic_bytes) const {
  if (is_free(call)) return 0;
  std::uint64_t byte_fee = 0, fee = 0;
  const bool overflows =
      __builtin_mul_overflow(genesis_.byte_fee_rao, extrinsic_bytes, &byte_fee) ||
      __builtin_add_overflow(byte_fee, genesis_.call_fee_rao, &fee);
  return overflows ? ~std::uint64_t{0} : fee;
}

Ledger::Checked Ledger::examine(ByteSpan extrinsic) const {
  auto decoded = decode_extrinsic(extrinsic);
  if (!decoded) return {Refusal::kMalformed, std::nullopt, 0};
  Checked checked{Refusal::kNone, std::move(decoded).value(), 0};
  const SignedExtrinsic& content = *checked.extrinsic;
  const auto refused = [&](Refusal refusal) {
    checked.refusal = refusal;
    return checked;
  };
  if (content.signature.scheme != SignatureScheme::kEd25519)
    return refused(Refusal::kUnsupportedScheme);
  const auto context = signing_context(content.era);
  if (!context) return refused(Refusal::kAncientBirthBlock);
  if (verify_extrinsic(content, *context) != SignatureVerdict::kGood)
    return refused(Refusal::kBadProof);
  const std::uint32_t nonce = nonce_of(content.signer);
  if (content.nonce < nonce) return refused(Refusal::kStale);
  if (content.nonce > nonce) return refused(Refusal::kFuture);
  const std::uint64_t fee = fee_of(content.call, extrinsic.size());
  if (__builtin_add_overflow(fee, content.tip_rao, &checked.fee_rao) ||
      checked.fee_rao > spare_balance_of(state_, content.signer))
    return refused(Refusal::kPayment);
  checked.refusal = check_call(state_, content.signer, content.call);
  return checked;
}

Refusal Ledger::check(ByteSpan extrinsic) const { return examine(extrinsic).refusal; }

// ---- changes

Submission Ledger::submit(ByteSpan extrinsic) {
  const Checked checked = examine(extrinsic);
  if (checked.refusal != Refusal::kNone) return {checked.refusal, {}, std::nullopt, 0};
  const SignedExtrinsic& content = *checked.extrinsic;
  Submission submission{Refusal::kNone, extrinsic_hash(extrinsic), std::nullopt, checked.fee_rao};
  Journal journal;
  const Context context{state_, journal, events_, genesis_.author};
  ++journal.entry(state_.accounts, content.signer).nonce;
  const bool paid =
      genesis_.author != AccountId{} &&
      !transfer(context, content.signer, genesis_.author, checked.fee_rao, Existence::kMustLive);
  if (!paid) recycle(context, content.signer, checked.fee_rao);
  submission.error = dispatch(state_, events_, genesis_.author, content.signer, content.call);
  if (submission.error && is_free(content.call)) {
    journal.roll_back();
    return {Refusal::kFreeCallFails, submission.hash, submission.error, 0};
  }
  events_.push_back(ExtrinsicApplied{submission.hash, submission.error, submission.fee_rao});
  pending_.emplace_back(extrinsic.begin(), extrinsic.end());
  return submission;
}

Block Ledger::produce_block(bool with_state_hash) {
  Block block{state_.block, head_, std::move(pending_), std::nullopt};
  if (with_state_hash) block.state = state_hash(state_);
  head_ = block_hash(block);
  recent_hashes_.push_back(head_);
  if (recent_hashes_.size() > kBlockHashesKept) recent_hashes_.pop_front();
  begin_block();
  return block;
}

Status Ledger::apply(const Block& block) {
  const std::string name = "block " + std::to_string(block.number);
  if (block.number != state_.block || block.parent != head_ || !pending_.empty())
    return Error{Errc::kConflict,
                 name + " does not follow block " + std::to_string(block_number())};
  for (const Bytes& extrinsic : block.extrinsics) {
    const Submission submission = submit(extrinsic);
    if (!submission.applied())
      return Error{Errc::kConflict,
                   name + ": an extrinsic is refused: " + std::string(name_of(submission.refusal))};
  }
  if (block_hash(produce_block(block.state.has_value())) == block_hash(block)) return {};
  return Error{Errc::kConflict, name + " gives another state when replayed"};
}

}  // namespace muster::chain::runtime
