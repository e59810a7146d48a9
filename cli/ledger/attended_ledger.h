// AttendedLedger: a node's ledger client that also looks after the node's place on the ledger.
//
// Whenever the node asks for the metagraph or the newest members, it logs, once, what puts the
// network's pay at risk (chain/service/neuron_watch.h) and what the node lacks to do what it is
// there for: a uid; for a validator also stake and a permit, once an epoch. It buys a lost uid of a
// validator back within a budget. Thread safety: one thread.
#pragma once

#include <filesystem>
#include <memory>

#include "base/log.h"
#include "chain/service/followed_ledger.h"

namespace muster::cli {

struct Attendance {
  PublicKey hotkey;
  Role role = Role::kMiner;      // that the node has
  std::uint64_t budget_rao = 0;  // for registrations, over all starts of the node; 0: it buys none
  std::filesystem::path spent_file;  // where what was spent is kept
  Logger logger;
};

class AttendedLedger final : public protocol::LedgerClient {
 public:
  AttendedLedger(std::unique_ptr<chain::FollowedLedger> ledger, Attendance attendance)
      : ledger_(std::move(ledger)), attendance_(std::move(attendance)) {}

  Result<Hash> genesis_hash() override { return ledger_->genesis_hash(); }
  Result<protocol::Metagraph> metagraph() override;
  Result<protocol::LedgerView> members_at(std::optional<std::uint64_t> block) override;
  std::optional<protocol::LedgerHead> newest_head() const override {
    return ledger_->newest_head();
  }
  Status compare(const protocol::LedgerHead& other) override { return ledger_->compare(other); }
  Status register_neuron() override { return ledger_->register_neuron(); }
  Status add_stake(std::uint64_t rao) override { return ledger_->add_stake(rao); }
  Status commit_weights(const protocol::WeightVector& vector) override {
    return ledger_->commit_weights(vector);
  }
  Status reveal_weights(const protocol::WeightVector& vector) override {
    return ledger_->reveal_weights(vector);
  }
  Status set_commitment(ByteSpan bytes) override { return ledger_->set_commitment(bytes); }

 private:
  // Logs `text`, unless what it was said about is what it was last time.
  void say_once(std::string& said, const std::string& about, const std::string& text) const;
  [[nodiscard]] bool has_stake() const;
  // Whether the uid was bought back. Errors: those of the ledger and of the file.
  [[nodiscard]] Result<bool> regain_uid(const protocol::Metagraph& metagraph);

  std::unique_ptr<chain::FollowedLedger> ledger_;
  Attendance attendance_;
  std::string said_of_permits_, said_of_own_;  // last
};

}  // namespace muster::cli
