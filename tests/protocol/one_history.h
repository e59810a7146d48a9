#pragma once

#include "protocol/ledger_client.h"

namespace muster::protocol::testing {

// A ledger's client that knows one block, without members.
class OneHistory final : public LedgerClient {
 public:
  OneHistory(LedgerHead head, const PublicKey& ledger) : head_(std::move(head)), ledger_(ledger) {}
  Status compare(const LedgerHead& other) override {
    if (!is_signed_by(other, ledger_)) return Error{Errc::kBadSignature, "not the ledger's"};
    return other == head_ ? Status() : Status(Error{Errc::kConflict, "keeps two histories"});
  }
  Result<Hash> genesis_hash() override { return head_.genesis; }
  Result<Metagraph> metagraph() override { return Metagraph{}; }
  Result<LedgerView> members_at(std::optional<std::uint64_t>) override { return LedgerView{head_.number, head_.block, {}}; }
  Status register_neuron() override { return {}; }
  Status add_stake(std::uint64_t) override { return {}; }
  Status commit_weights(const WeightVector&) override { return {}; }
  Status reveal_weights(const WeightVector&) override { return {}; }
  Status set_commitment(ByteSpan) override { return {}; }

 private:
  LedgerHead head_;
  PublicKey ledger_;
};

}  // namespace muster::protocol::testing
