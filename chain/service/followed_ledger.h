// FollowedLedger: a ledger daemon's client that believes nothing of it but which block is its
// newest.
//
// What the network reads, its metagraph, comes from a ledger of the node's own, made from the
// blocks (block_follower.h). It lies in a file, so that a start does not replay everything. Its
// newest head lies in another, which is written with each new one, so that a daemon which goes back
// behind what it once signed is found out by whoever was there. Changes go to the daemon. Thread
// safety: one thread.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "chain/service/block_follower.h"
#include "chain/service/remote_ledger.h"

namespace muster::chain {

class FollowedLedger final : public protocol::LedgerClient {
 public:
  // `file`: of this node, and the same name with ".head"; read when they are there, and of this
  // genesis. `say`: told how far long work is. Errors: kMalformed (a damaged file, with the
  // remedy), those of reading them.
  [[nodiscard]] static Result<std::unique_ptr<FollowedLedger>> open(
      std::unique_ptr<RemoteLedger> remote, const runtime::Genesis& genesis,
      std::filesystem::path file, std::function<void(const std::string&)> say);

  Result<Hash> genesis_hash() override { return remote_->genesis_hash(); }
  // Of the newest durable block. Errors: those of BlockFollower and of asking.
  Result<protocol::Metagraph> metagraph() override;
  // Errors: also kNotFound, that this node does not have the block's members.
  Result<protocol::LedgerView> members_at(std::optional<std::uint64_t> block) override;
  std::optional<protocol::LedgerHead> newest_head() const override { return follower_.head(); }
  Status compare(const protocol::LedgerHead& other) override;
  Status register_neuron() override { return remote_->register_neuron(); }
  Status add_stake(std::uint64_t rao) override { return remote_->add_stake(rao); }
  Status commit_weights(const protocol::WeightVector& vector) override {
    return remote_->commit_weights(vector);
  }
  Status reveal_weights(const protocol::WeightVector& vector) override {
    return remote_->reveal_weights(vector);
  }
  Status set_commitment(ByteSpan bytes) override { return remote_->set_commitment(bytes); }

  [[nodiscard]] RemoteLedger& remote() { return *remote_; }
  [[nodiscard]] const BlockFollower& follower() const { return follower_; }

 private:
  FollowedLedger(std::unique_ptr<RemoteLedger> remote, const runtime::Genesis& genesis,
                 std::filesystem::path file, std::function<void(const std::string&)> say);
  [[nodiscard]] Status catch_up();
  [[nodiscard]] Status apply_blocks();
  // As the file has it, or at the genesis.
  [[nodiscard]] Status load();
  [[nodiscard]] Status save();
  [[nodiscard]] std::filesystem::path head_file() const;

  std::unique_ptr<RemoteLedger> remote_;
  runtime::Genesis genesis_;
  std::filesystem::path file_;
  std::function<void(const std::string&)> say_;
  BlockFollower follower_;
  std::uint64_t saved_block_ = 0;
};

}  // namespace muster::chain
