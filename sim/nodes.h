// The simulated nodes: each wraps a role's real core and carries out its actions on simulated
// hardware.
//
// A node may crash after any action: its core is gone, its disk stays, and a while later it
// recovers exactly as the real service does. Thread safety: none.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "coordinator/coordinator.h"
#include "miner/miner.h"
#include "protocol/head_watch.h"
#include "protocol/journal.h"
#include "sim/analytic_model.h"
#include "sim/checkers.h"
#include "sim/disk.h"
#include "sim/ledger_daemon.h"
#include "sim/network.h"
#include "sim/world.h"
#include "verify/validator.h"

namespace muster::sim {

// What all nodes of one world share.
struct Surroundings {
  const WorldConfig& config;
  const protocol::ProtocolParams& params;
  const AnalyticModel& model;
  const std::vector<float>& initial_theta;
  EventQueue& events;
  Network& network;
  const LedgerDaemon& ledger;
  Checkers& checkers;
  WorldReport& report;
  bool calm = false;  // no more crashes: the world must finish now
};

class Node {
 public:
  Node(Surroundings& world, NodeId id, std::string name, const Seed& seed);
  virtual ~Node() = default;
  void boot();
  void crash();
  // A crash after the messages now being sent have left.
  void crash_soon();
  void tick();
  // Follows the ledger, and says what it does wrong.
  void look_at_ledger();
  [[nodiscard]] bool alive() const { return alive_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const PublicKey& hotkey() const { return key_.public_key(); }
  [[nodiscard]] NodeId id() const { return id_; }
  [[nodiscard]] const SigningKey& key() const { return key_; }
  [[nodiscard]] const Disk& disk() const { return disk_; }

 protected:
  virtual void start_core() = 0;
  virtual void stop_core() = 0;
  virtual void tick_core() = 0;
  // The ledger's newest head, for what the node says next.
  virtual void take_head(const protocol::LedgerHead&) {}
  void compare_heads(const std::vector<protocol::SeenHead>& heads);
  void note(const std::string& text);

  // Runs the actions in order; after each the node may crash, which leaves the rest undone.
  template <class Actions, class Perform>
  void perform_all(Actions actions, Perform perform) {
    const std::uint64_t life = life_;
    for (auto& action : actions) {
      perform(action);
      if (life_ != life || !alive_) return;
      if (!world_.calm && random_.chance(world_.config.crash_per_action)) return crash();
    }
  }
  // Runs `event` later unless the node has crashed since.
  void later(TimeMs delay, std::function<void()> event);
  void persist(Round round, const Bytes& message);

  Surroundings& world_;
  NodeId id_;
  std::string name_;
  SigningKey key_;
  Prng random_;
  Disk disk_;
  chain::BlockFollower ledger_;  // outlives crashes, as its file does
  protocol::HeadWatch head_watch_;
  bool alive_ = false;
  std::uint64_t life_ = 0;  // counts boots, so that what was scheduled before a crash does not run
};

class MinerNode;
class ValidatorNode;

class CoordinatorNode final : public Node {
 public:
  CoordinatorNode(Surroundings& world, NodeId id, const Seed& seed);
  void set_peers(std::vector<Node*> peers) { peers_ = std::move(peers); }
  void set_members(coordinator::LedgerView view) { members_ = std::move(view); }
  [[nodiscard]] const coordinator::LedgerView& members() const { return members_; }
  void receive(const PublicKey& from, const Bytes& message);
  void receive_blob(const PublicKey& from, const Hash& id, const Bytes& blob);
  [[nodiscard]] const Bytes* find_blob(const Hash& id) const;
  [[nodiscard]] Round reached() const { return reached_; }
  [[nodiscard]] bool finished() const { return core_ && core_->finished(); }

 private:
  void start_core() override;
  void stop_core() override { core_.reset(), expected_.clear(), offered_.clear(); }
  void tick_core() override;
  void carry_out(coordinator::Actions actions);
  void perform(coordinator::Action& action);
  void send(Node& to, const Bytes& message);
  [[nodiscard]] std::optional<protocol::HeadState> load_model();
  void write_checkpoint(const coordinator::WriteCheckpoint& job);
  void expect_upload(const PublicKey& from, const Hash& id);
  void end_uploads(const std::set<Hash>& listed);
  [[nodiscard]] Bytes forged(const Bytes& message, bool weights);
  [[nodiscard]] Bytes without_last_commit(const Bytes& close) const;
  [[nodiscard]] Node* find_peer(const PublicKey& hotkey) const;

  std::vector<Node*> peers_;
  coordinator::LedgerView members_;
  std::vector<float> theta_, residual_;
  std::unique_ptr<coordinator::Coordinator> core_;
  std::map<PublicKey, Hash> expected_;  // the uploads that commits of the open round name
  std::map<PublicKey, std::pair<Hash, Bytes>>
      offered_;  // uploads that no commit has named yet: one of each
  Round reached_;
  std::uint64_t sent_ = 0;  // for planted bugs
  bool bug_done_ = false;
};

// A node that follows the coordinator.
class FollowerNode : public Node {
 public:
  FollowerNode(Surroundings& world, NodeId id, std::string name, const Seed& seed,
               CoordinatorNode& coordinator)
      : Node(world, id, std::move(name), seed), coordinator_(coordinator) {}
  virtual void receive(const Bytes& message) = 0;
  [[nodiscard]] virtual Round reached() const = 0;

 protected:
  virtual void receive_blob(const Hash& id, const Bytes& blob) = 0;
  // As its tamper has it, if it has one.
  void send(const Bytes& message);
  void fetch(const Hash& id);
  [[nodiscard]] Tamper* tamper() const;
  // What work takes this node that takes others `usual`.
  [[nodiscard]] TimeMs work_ms(TimeMs usual) const;
  [[nodiscard]] protocol::ValidatorStakes stakes() const;
  [[nodiscard]] protocol::SavedExtent extent_of(std::uint64_t saved);
  void note_restart(const protocol::SavedExtent& extent, std::uint64_t saved,
                    const protocol::Position& position);
  // Every state that a crash can leave behind starts again.
  void check_recovered(const Status& recovered);
  // True at most once: a bit of θ is to flip between two rounds. (Damaged again before the repair
  // is confirmed, a node rightly gives up.)
  [[nodiscard]] bool bit_flips();
  CoordinatorNode& coordinator_;
  bool damaged_once_ = false;

 private:
  void send_as_is(const Bytes& message);
};

class MinerNode final : public FollowerNode {
 public:
  MinerNode(Surroundings& world, NodeId id, std::string name, const Seed& seed,
            CoordinatorNode& coordinator, std::shared_ptr<miner::Conduct> conduct,
            bool equivocates);
  void receive(const Bytes& message) override;
  [[nodiscard]] Round reached() const override { return reached_; }
  [[nodiscard]] const AnalyticInnerLoop& loop() const { return *loop_; }

 private:
  void start_core() override;
  void stop_core() override { core_.reset(), loop_.reset(); }
  void tick_core() override { carry_out(core_->on_tick(world_.events.now_ms())); }
  void take_head(const protocol::LedgerHead& head) override { core_->on_ledger_head(head); }
  void receive_blob(const Hash& id, const Bytes& blob) override;
  void carry_out(miner::Actions actions);
  void perform(miner::Action& action);
  void train(const miner::Train& train);
  void apply(const miner::Apply& apply);
  void adopt(const miner::Adopt& adopt);
  void upload(const Hash& id);

  std::shared_ptr<miner::Conduct> conduct_;
  bool equivocates_;
  bool forgetful_ = false;  // a planted bug: its disk was lost and it trains differently since
  std::unique_ptr<AnalyticInnerLoop> loop_;
  std::unique_ptr<miner::Miner> core_;
  Round reached_;
};

class ValidatorNode final : public FollowerNode {
 public:
  using FollowerNode::FollowerNode;
  void receive(const Bytes& message) override;
  [[nodiscard]] Round reached() const override { return reached_; }
  [[nodiscard]] verify::RatingBook book() const { return core_->book(); }
  [[nodiscard]] const protocol::ChainHead& head() const { return core_->head(); }

 private:
  void start_core() override;
  void stop_core() override { core_.reset(), probe_.reset(); }
  void tick_core() override { carry_out(core_->on_tick(world_.events.now_ms())); }
  void take_head(const protocol::LedgerHead& head) override { core_->on_ledger_head(head); }
  void receive_blob(const Hash& id, const Bytes& blob) override;
  void carry_out(verify::Actions actions);
  void perform(verify::Action& action);
  void apply(const verify::Apply& apply);
  void adopt(const verify::Adopt& adopt);
  void flip_bit();
  [[nodiscard]] bool lose_folder(Round next);
  void save(const std::vector<float>& downlink_residual);

  bool has_screened_ = false;  // what the ledger knows of it: a crash does not change it
  bool lost_folder_ = false;
  std::unique_ptr<AnalyticLossProbe> probe_;
  std::unique_ptr<verify::Validator> core_;
  Round reached_;
};

}  // namespace muster::sim
