#include <algorithm>

#include "base/overloaded.h"
#include "compression/segmented_blob.h"
#include "protocol/checkpoint.h"
#include "sim/nodes.h"

namespace muster::sim {
namespace {

constexpr TimeMs kWriteMs = 40;
constexpr std::uint64_t kInventedStake = 1'000'000;
// The planted bug strikes in the midst of a commit phase: receipts of round 1 are on their way.
constexpr std::uint64_t kSendsBeforeVolatileCrash = 58;

}  // namespace

CoordinatorNode::CoordinatorNode(Surroundings& world, NodeId id, const Seed& seed)
    : Node(world, id, "coordinator", seed) {}

void CoordinatorNode::start_core() {
  std::uint32_t validators = 0;  // those whose word counts
  for (std::uint32_t i = 1; i <= world_.config.validators; ++i)
    validators += world_.config.adversaries_have_stake ||
                  !world_.config.is_adversary(world_.config.miners + i);
  const coordinator::Config config{world_.config.miners - world_.config.late_joiners, validators,
                                   world_.config.checkpoint_every, world_.config.offer_after};
  auto checkpoint = load_model();
  core_ = std::make_unique<coordinator::Coordinator>(
      world_.params, key_, config,
      coordinator::ModelMemory{theta_, residual_, std::move(checkpoint)},
      [this](const Hash& id) -> Result<Bytes> {
        if (const Bytes* blob = find_blob(id)) return *blob;
        return Error{Errc::kNotFound, "blob " + id.hex()};
      });
  auto view = members_;
  if (world_.config.bug == PlantedBug::kLyingRoster) view.members.back().stake = kInventedStake;
  (void)core_->on_ledger(std::move(view), world_.events.now_ms());
  for (const auto& record : disk_.journal()) {
    const Status recovered = core_->recover(record.bytes);
    if (!recovered && world_.config.bug == PlantedBug::kNone)
      world_.checkers.saw_accusation(name_, "its journal: " + recovered.error().message);
  }
  reached_ = core_->head().round();
  carry_out(core_->start(world_.events.now_ms()));
}

// From the newest checkpoint on its disk, as the real service does.
std::optional<protocol::HeadState> CoordinatorNode::load_model() {
  theta_ = world_.initial_theta;
  residual_.assign(theta_.size(), 0.0f);
  const auto layout = state::layout_of(world_.params.model);
  std::optional<protocol::HeadState> head;
  for (const auto& record : disk_.journal()) {
    const auto envelope = wire::reread_envelope(record.bytes);
    if (!envelope || !protocol::is_a(*envelope, protocol::MessageType::kCheckpoint)) continue;
    const auto checkpoint = protocol::read_body<protocol::Checkpoint>(*envelope).value();
    auto state = protocol::decode_state(layout, *find_blob(checkpoint.blob_id));
    theta_ = std::move(state->theta);
    residual_ = std::move(state->downlink_residual);
    head = std::move(state->head);
  }
  return head;
}

void CoordinatorNode::write_checkpoint(const coordinator::WriteCheckpoint& job) {
  const auto layout = state::layout_of(world_.params.model);
  later(kWriteMs, [this, blob = protocol::encode_state(layout, job.head, theta_, residual_)] {
    const Hash id = compression::blob_id(blob).value();
    disk_.blobs[id] = blob;
    carry_out(core_->on_checkpoint(id, world_.events.now_ms()));
  });
}

void CoordinatorNode::tick_core() { carry_out(core_->on_tick(world_.events.now_ms())); }

void CoordinatorNode::receive(const PublicKey& from, const Bytes& message) {
  if (!alive_) return;
  if (world_.config.bug == PlantedBug::kDeafToOne && from == peers_.front()->hotkey()) {
    const auto envelope = wire::reread_envelope(message);
    if (envelope && protocol::is_a(*envelope, protocol::MessageType::kCommit)) return;
  }
  if (world_.config.bug == PlantedBug::kUnboundedDisputes) {
    const auto envelope = wire::reread_envelope(message);
    if (envelope && protocol::is_a(*envelope, protocol::MessageType::kDispute))
      persist(reached_, message);
  }
  carry_out(core_->on_message(from, message, world_.events.now_ms()));
}

void CoordinatorNode::receive_blob(const PublicKey& from, const Hash& id, const Bytes& blob) {
  if (!alive_) return;
  const auto actual = compression::blob_id(blob);
  if (!actual || *actual != id) return;
  if (world_.config.bug == PlantedBug::kKeptUploads) disk_.blobs[id] = blob;
  if (const auto expected = expected_.find(from);
      expected != expected_.end() && expected->second == id) {
    disk_.blobs[id] = blob;
    carry_out(core_->on_blob(from, id, world_.events.now_ms()));
  } else {
    offered_[from] = {id, blob};
  }
}

void CoordinatorNode::expect_upload(const PublicKey& from, const Hash& id) {
  expected_[from] = id;
  const auto offered = offered_.find(from);
  if (offered == offered_.end() || offered->second.first != id) return;
  disk_.blobs[id] = std::move(offered->second.second);
  offered_.erase(offered);
  later(0, [this, from, id] { carry_out(core_->on_blob(from, id, world_.events.now_ms())); });
}

// Only what the close lists is kept.
void CoordinatorNode::end_uploads(const std::set<Hash>& listed) {
  for (const auto& [from, id] : expected_)
    if (!listed.contains(id) && world_.config.bug != PlantedBug::kKeptUploads)
      disk_.blobs.erase(id);
  expected_.clear();
  offered_.clear();
}

const Bytes* CoordinatorNode::find_blob(const Hash& id) const {
  const auto found = disk_.blobs.find(id);
  return found == disk_.blobs.end() ? nullptr : &found->second;
}

Node* CoordinatorNode::find_peer(const PublicKey& hotkey) const {
  for (Node* peer : peers_)
    if (peer->hotkey() == hotkey) return peer;
  return nullptr;
}

void CoordinatorNode::send(Node& to, const Bytes& message) {
  ++world_.report.messages;
  world_.checkers.saw_message(hotkey(), message);
  auto* follower = static_cast<FollowerNode*>(&to);
  world_.network.transmit(id_, to.id(), [follower, message] { follower->receive(message); });
}

// The same manifest with something changed, signed again.
Bytes CoordinatorNode::forged(const Bytes& message, bool weights) {
  auto envelope = wire::reread_envelope(message).value();
  auto manifest = protocol::read_body<protocol::Manifest>(envelope).value();
  if (weights) {
    auto record = protocol::decode_record(*find_blob(manifest.record_id)).value();
    for (auto& outcome : record.outcomes)
      if (outcome.code != protocol::OutcomeCode::kAccepted) outcome.weight = 0.1f;
    Bytes blob = protocol::encode_record(record);
    manifest.record_id = compression::blob_id(blob).value();
    disk_.blobs[manifest.record_id] = std::move(blob);
    world_.checkers.saw_record(envelope.round, record);
  } else {
    manifest.median_norm += 1;
  }
  protocol::set_body(envelope, manifest);
  return wire::seal_envelope(envelope, key_);
}

Bytes CoordinatorNode::without_last_commit(const Bytes& close) const {
  auto envelope = wire::reread_envelope(close).value();
  auto closed = protocol::read_body<protocol::CommitsClosed>(envelope).value();
  closed.commits.pop_back();
  closed.commit_root = protocol::commit_root_of(closed.commits);
  protocol::set_body(envelope, closed);
  return wire::seal_envelope(envelope, key_);
}

void CoordinatorNode::carry_out(coordinator::Actions actions) {
  perform_all(std::move(actions), [this](coordinator::Action& action) { perform(action); });
}

void CoordinatorNode::perform(coordinator::Action& action) {
  using namespace coordinator;
  std::visit(
      Overloaded{
          [&](Send& send_action) {
            if (Node* peer = find_peer(send_action.to)) send(*peer, send_action.message);
            if (world_.config.bug == PlantedBug::kVolatileJournal && !bug_done_ &&
                ++sent_ == kSendsBeforeVolatileCrash) {
              bug_done_ = true;
              crash_soon();
            }
          },
          [&](Broadcast& broadcast) {
            const auto envelope = wire::reread_envelope(broadcast.message);
            const bool manifest =
                envelope && protocol::is_a(*envelope, protocol::MessageType::kManifest);
            for (Node* peer : peers_) {
              if (broadcast.role && core_->role_of(peer->hotkey()) != *broadcast.role) continue;
              Bytes message = broadcast.message;
              if (manifest && envelope->round.value == 3 && peer == peers_.back() &&
                  world_.config.bug == PlantedBug::kForkedManifest)
                message = forged(message, false);
              if (envelope && protocol::is_a(*envelope, protocol::MessageType::kCommitsClosed) &&
                  envelope->round.value == 3 && peer == peers_.back() &&
                  world_.config.bug == PlantedBug::kForkedClose)
                message = without_last_commit(message);
              if (manifest && world_.config.bug == PlantedBug::kUnacceptedPayload)
                message = forged(message, true);
              send(*peer, message);
            }
          },
          [&](Persist& record) {
            persist(record.round, record.message);
            world_.checkers.saw_message(hotkey(), record.message);
          },
          [&](StoreBlob& store) { disk_.blobs[store.id] = std::move(store.blob); },
          [&](ReplayRound& replay) {
            Node* peer = find_peer(replay.to);
            if (peer == nullptr) return;
            for (const auto& record : disk_.journal()) {
              if (record.round != replay.round) continue;
              const auto envelope = wire::reread_envelope(record.bytes);
              if (!envelope || envelope->sender != hotkey()) continue;
              if (const auto answer = replay.answer_of(record.bytes, *envelope))
                send(*peer, *answer);
            }
          },
          [&](ExpectUpload& expected) { expect_upload(expected.from, expected.id); },
          [&](EndUploads& end) { end_uploads(end.listed); },
          [&](WriteCheckpoint& job) { write_checkpoint(job); },
          [&](RoundSealed& sealed) {
            reached_ = sealed.round.next();
            ++(sealed.manifest.null_round ? world_.report.null_rounds
                                          : world_.report.sealed_rounds);
            world_.checkers.saw_state(name_, reached_, sealed.manifest.state_id_after,
                                      sealed.theta_root);
            world_.checkers.saw_record(sealed.round, sealed.record);
            for (const auto& outcome : sealed.record.outcomes) {
              const bool cheats =
                  (outcome.uid.value <= world_.config.cheaters && outcome.uid.value > 0) ||
                  world_.config.is_adversary(outcome.uid.value);
              ++world_.report.outcomes[outcome.uid][outcome.code];
              if (outcome.code == protocol::OutcomeCode::kAccepted)
                ++(cheats ? world_.report.cheater_accepted : world_.report.honest_accepted);
              if (outcome.code == protocol::OutcomeCode::kRejected && !cheats)
                ++world_.report.honest_rejected;
              if (outcome.code == protocol::OutcomeCode::kMissed && !cheats)
                ++world_.report.honest_missed;
            }
            const bool is_screened =
                std::ranges::any_of(members_.members, [&](const Member& member) {
                  return member.may_validate && find_screen(sealed.manifest, member.uid) != nullptr;
                });
            if (!is_screened) ++world_.report.unscreened_rounds;
          },
          [&](CompareHeads& compare) { compare_heads(compare.heads); },
          [&](Note& said) { note(said.text); },
          [](Finish&) {},
      },
      action);
}

}  // namespace muster::sim
