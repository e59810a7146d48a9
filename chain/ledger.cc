#include "chain/ledger.h"

#include <algorithm>

#include "chain/consensus.h"
#include "wire/codec.h"

namespace muster::chain {

Hash block_hash(const Block& block) {
  return tagged_hash("muster/block", wire::encode(block));
}

Ledger::Ledger(const Genesis& genesis)
    : genesis_(genesis), genesis_hash_(genesis_hash(genesis)), head_(genesis_hash_) {
  for (const Balance& balance : genesis.balances)
    accounts_[balance.hotkey].balance += balance.rao;
}

const Ledger::Member* Ledger::find(const PublicKey& hotkey) const {
  const auto uid = uids_.find(hotkey);
  return uid == uids_.end() ? nullptr : &members_.at(uid->second);
}

std::uint32_t Ledger::nonce_of(const PublicKey& hotkey) const {
  const auto account = accounts_.find(hotkey);
  return account == accounts_.end() ? 0 : account->second.nonce;
}

std::uint64_t Ledger::balance_of(const PublicKey& hotkey) const {
  const auto account = accounts_.find(hotkey);
  return account == accounts_.end() ? 0 : account->second.balance;
}

// ---- checks

Refusal Ledger::check(const Extrinsic& extrinsic) const {
  if (extrinsic.genesis != genesis_hash_) return Refusal::kWrongGenesis;
  if (!is_signed(extrinsic)) return Refusal::kBadSignature;
  if (extrinsic.nonce != nonce_of(extrinsic.hotkey)) return Refusal::kWrongNonce;
  return check_call(extrinsic.hotkey, extrinsic.call);
}

Refusal Ledger::check_call(const PublicKey& hotkey, const Call& call) const {
  const Member* member = find(hotkey);
  if (call.kind == CallKind::kRegister) {
    if (member != nullptr) return Refusal::kAlreadyRegistered;
    if (call.role != Role::kMiner && call.role != Role::kValidator)
      return Refusal::kRoleNotRegistrable;
    if (members_.size() >= genesis_.uids_max) return Refusal::kSubnetFull;
    if (balance_of(hotkey) < genesis_.registration_cost) return Refusal::kBalanceTooLow;
    return Refusal::kNone;
  }
  if (member == nullptr) return Refusal::kNotRegistered;
  if (call.kind == CallKind::kAddStake) {
    if (call.amount == 0) return Refusal::kAmountIsZero;
    return balance_of(hotkey) < call.amount ? Refusal::kBalanceTooLow : Refusal::kNone;
  }
  if (member->neuron.role != Role::kValidator) return Refusal::kNotAValidator;
  if (member->neuron.stake < genesis_.validator_stake_min) return Refusal::kStakeTooLow;
  if (call.kind == CallKind::kRevealWeights) return check_reveal(*member, call);
  if (member->neuron.last_update != 0 &&
      number_ + 1 - member->neuron.last_update < genesis_.weights_rate_limit)
    return Refusal::kCommitTooSoon;
  return Refusal::kNone;
}

Refusal Ledger::check_reveal(const Member& member, const Call& call) const {
  if (!member.commitment) return Refusal::kNoCommit;
  if (epoch() != member.commitment->epoch + 1) return Refusal::kRevealOutsideWindow;
  if (call.uids.size() != call.weights.size()) return Refusal::kLengthsDiffer;
  if (std::adjacent_find(call.uids.begin(), call.uids.end(), std::greater_equal<>()) !=
      call.uids.end())
    return Refusal::kUidsNotAscending;
  for (const Uid uid : call.uids)
    if (!members_.contains(uid)) return Refusal::kUnknownUid;
  const Hash commitment = protocol::weights_commitment(member.neuron.hotkey, call.uids,
                                                       call.weights, call.hash);
  return commitment == member.commitment->hash ? Refusal::kNone : Refusal::kCommitMismatch;
}

// ---- changes

Refusal Ledger::submit(const Extrinsic& extrinsic) {
  const Refusal refusal = check(extrinsic);
  if (refusal != Refusal::kNone) return refusal;
  ++accounts_[extrinsic.hotkey].nonce;
  apply_call(extrinsic.hotkey, extrinsic.call);
  pending_.push_back(extrinsic);
  return Refusal::kNone;
}

void Ledger::apply_call(const PublicKey& hotkey, const Call& call) {
  if (call.kind == CallKind::kRegister) {
    accounts_[hotkey].balance -= genesis_.registration_cost;
    const Uid uid{static_cast<std::uint16_t>(members_.size())};
    Member member;
    member.neuron.uid = uid;
    member.neuron.hotkey = hotkey;
    member.neuron.role = call.role;
    member.neuron.registered_block = number_ + 1;
    members_.emplace(uid, std::move(member));
    uids_[hotkey] = uid;
    return;
  }
  Member& member = members_.at(uids_.at(hotkey));
  if (call.kind == CallKind::kAddStake) {
    accounts_[hotkey].balance -= call.amount;
    member.neuron.stake += call.amount;
  } else if (call.kind == CallKind::kCommitWeights) {
    member.commitment = Commitment{call.hash, epoch()};
    member.neuron.last_update = number_ + 1;
  } else {
    member.weights.clear();
    for (std::size_t i = 0; i < call.uids.size(); ++i)
      member.weights.emplace_back(call.uids[i], call.weights[i]);
    member.commitment.reset();
  }
}

// Pays a whole tempo's emission by the weights in force.
void Ledger::run_due_epoch() {
  if (number_ % genesis_.tempo != 0) return;
  std::vector<WeightRow> rows;
  for (const auto& [uid, member] : members_) {
    if (member.neuron.role != Role::kValidator || member.weights.empty() ||
        member.neuron.stake < genesis_.validator_stake_min)
      continue;
    WeightRow row{uid, member.neuron.stake, {}};
    for (const auto& [target, weight] : member.weights)
      if (members_.at(target).neuron.role == Role::kMiner) row.weights.emplace_back(target, weight);
    rows.push_back(std::move(row));
  }
  const std::uint64_t emission = genesis_.emission_per_block * genesis_.tempo;
  const EpochResult result = run_epoch(rows, emission / 2, emission / 2);
  for (auto& [uid, member] : members_) member.neuron.incentive = 0;
  for (const Payout& payout : result.miners) {
    members_.at(payout.uid).neuron.incentive = payout.share;
    members_.at(payout.uid).neuron.earned += payout.rao;
  }
  for (const Payout& payout : result.validators) members_.at(payout.uid).neuron.earned += payout.rao;
}

Block Ledger::produce_block() {
  ++number_;
  run_due_epoch();
  Block block{number_, head_, state_hash(), std::exchange(pending_, {})};
  head_ = block_hash(block);
  return block;
}

Status Ledger::apply(const Block& block) {
  const std::string name = "block " + std::to_string(block.number);
  if (block.number != number_ + 1 || block.parent != head_)
    return Error{Errc::kConflict, name + " does not follow block " + std::to_string(number_)};
  for (const Extrinsic& extrinsic : block.extrinsics) {
    if (const Refusal refusal = submit(extrinsic); refusal != Refusal::kNone)
      return Error{Errc::kConflict, name + ": an extrinsic is refused: " +
                                        std::string(name_of(refusal))};
  }
  if (block_hash(produce_block()) != block_hash(block))
    return Error{Errc::kConflict, name + " gives another state when replayed"};
  return {};
}

// ---- views

protocol::Metagraph Ledger::metagraph() const {
  protocol::Metagraph metagraph{number_, head_, genesis_.tempo, {}};
  for (const auto& [uid, member] : members_) metagraph.neurons.push_back(member.neuron);
  return metagraph;
}

Hash Ledger::state_hash() const {
  wire::WriteArchive archive;
  archive(number_);
  for (const auto& [hotkey, account] : accounts_)
    archive(hotkey, account.balance, account.nonce);
  for (const auto& [uid, member] : members_) {
    const auto& n = member.neuron;
    archive(n.uid, n.hotkey, n.role, n.stake, n.registered_block, n.last_update, n.incentive,
            n.earned, member.commitment.has_value());
    if (member.commitment) archive(member.commitment->hash, member.commitment->epoch);
    archive(static_cast<std::uint32_t>(member.weights.size()));
    for (const auto& [target, weight] : member.weights) archive(target, weight);
  }
  return tagged_hash("muster/ledger-state", archive.out.bytes());
}

}  // namespace muster::chain
