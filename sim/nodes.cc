#include "sim/nodes.h"

#include "base/overloaded.h"
#include "compression/segmented_blob.h"
#include "state/state_root.h"

namespace muster::sim {
namespace {

constexpr TimeMs kTrainMs = 2000;
constexpr TimeMs kCrashSoonMs = 150;
constexpr TimeMs kMeasureMs = 40;
constexpr TimeMs kRestartMinMs = 200;
constexpr TimeMs kRestartMaxMs = 8000;
// Planted bugs strike in the midst of a commit phase: receipts of round 1 are on their way.
constexpr std::uint64_t kSendsBeforeVolatileCrash = 34;
constexpr Round kForgottenRound{2};

}  // namespace

// ---- all nodes

Node::Node(Surroundings& world, NodeId id, std::string name, const Seed& seed)
    : world_(world),
      id_(id),
      name_(std::move(name)),
      key_(seed),
      random_(world.config.seed, 1000 + id) {}

void Node::boot() {
  alive_ = true;
  ++life_;
  start_core();
}

void Node::crash() {
  alive_ = false;
  ++life_;
  ++world_.report.crashes;
  disk_.crash(random_);
  stop_core();
  const bool quick = world_.config.bug == PlantedBug::kForgetfulMiner;
  const auto spread =
      quick ? std::uint64_t{1} : static_cast<std::uint64_t>(kRestartMaxMs - kRestartMinMs);
  world_.events.after(kRestartMinMs + static_cast<TimeMs>(random_.below(spread)),
                      [this] { boot(); });
}

void Node::crash_soon() {
  later(kCrashSoonMs, [this] { crash(); });
}

void Node::tick() {
  if (alive_) tick_core();
}

void Node::later(TimeMs delay, std::function<void()> event) {
  world_.events.after(delay, [this, life = life_, event = std::move(event)] {
    if (alive_ && life_ == life) event();
  });
}

void Node::persist(Round round, const Bytes& message) {
  disk_.append(round, message);
  if (world_.config.bug == PlantedBug::kVolatileJournal && id_ == 0) return;
  disk_.sync();
}

// ---- coordinator

CoordinatorNode::CoordinatorNode(Surroundings& world, NodeId id, const Seed& seed)
    : Node(world, id, "coordinator", seed) {}

void CoordinatorNode::start_core() {
  const coordinator::Config config{
      world_.config.miners, world_.config.validators};
  coordinator::ModelSnapshot snapshot{Round{0}, world_.initial_theta,
                                      std::vector<float>(world_.initial_theta.size(), 0.0f)};
  core_ = std::make_unique<coordinator::Coordinator>(
      world_.params, key_, config, std::move(snapshot), [this](const Hash& id) -> Result<Bytes> {
        if (const Bytes* blob = find_blob(id)) return *blob;
        return Error{Errc::kNotFound, "blob " + id.hex()};
      });
  (void)core_->on_ledger(ledger_, world_.events.now_ms());
  for (const auto& record : disk_.journal()) {
    const Status recovered = core_->recover(record.bytes);
    if (!recovered && world_.config.bug == PlantedBug::kNone)
      world_.checkers.saw_accusation(name_, "its journal: " + recovered.error().message);
  }
  carry_out(core_->start(world_.events.now_ms()));
}

void CoordinatorNode::tick_core() { carry_out(core_->on_tick(world_.events.now_ms())); }

void CoordinatorNode::receive(const PublicKey& from, const Bytes& message) {
  if (alive_) carry_out(core_->on_message(from, message, world_.events.now_ms()));
}

void CoordinatorNode::receive_blob(const PublicKey& from, const Hash& id, const Bytes& blob) {
  if (!alive_) return;
  const auto actual = compression::blob_id(blob);
  if (!actual || *actual != id) return;
  disk_.blobs[id] = blob;
  carry_out(core_->on_blob(from, id, world_.events.now_ms()));
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
  world_.checkers.saw_message(message);
  auto* follower = static_cast<FollowerNode*>(&to);
  world_.network.transmit(id_, to.id(), [follower, message] { follower->receive(message); });
}

// The same manifest with something changed, signed again.
Bytes CoordinatorNode::forged(const Bytes& message, bool weights) const {
  auto envelope = wire::reread_envelope(message).value();
  auto manifest = protocol::read_body<protocol::Manifest>(envelope).value();
  if (weights) {
    for (auto& outcome : manifest.outcomes)
      if (outcome.code != protocol::OutcomeCode::kAccepted) outcome.weight = 0.1f;
  } else {
    manifest.median_norm += 1;
  }
  envelope.body = wire::encode(manifest);
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
              Bytes message = broadcast.message;
              if (manifest && envelope->round.value == 3 && peer == peers_.back() &&
                  world_.config.bug == PlantedBug::kForkedManifest)
                message = forged(message, false);
              if (manifest && world_.config.bug == PlantedBug::kUnacceptedPayload)
                message = forged(message, true);
              send(*peer, message);
            }
          },
          [&](Persist& record) { persist(record.round, record.message); },
          [&](StoreBlob& store) { disk_.blobs[store.id] = std::move(store.blob); },
          [&](ReplayRound& replay) {
            Node* peer = find_peer(replay.to);
            if (peer == nullptr) return;
            for (const auto& record : disk_.journal()) {
              if (record.round != replay.round) continue;
              const auto envelope = wire::reread_envelope(record.bytes);
              if (envelope && envelope->sender == hotkey()) send(*peer, record.bytes);
            }
          },
          [&](RoundSealed& sealed) {
            reached_ = sealed.round.next();
            ++(sealed.manifest.null_round ? world_.report.null_rounds
                                          : world_.report.sealed_rounds);
            world_.checkers.saw_state(name_, reached_, sealed.manifest.state_id_after,
                                      sealed.theta_root);
            for (const auto& outcome : sealed.manifest.outcomes) {
              const bool cheats = outcome.uid.value <= world_.config.cheaters && outcome.uid.value > 0;
              if (outcome.code == protocol::OutcomeCode::kAccepted)
                ++(cheats ? world_.report.cheater_accepted : world_.report.honest_accepted);
              if (outcome.code == protocol::OutcomeCode::kRejected && !cheats)
                ++world_.report.honest_rejected;
            }
          },
          [](Note&) {},
          [](Finish&) {},
      },
      action);
}

// ---- followers

void FollowerNode::send(const Bytes& message) {
  ++world_.report.messages;
  world_.checkers.saw_message(message);
  world_.network.transmit(id_, coordinator_.id(), [this, from = hotkey(), message] {
    coordinator_.receive(from, message);
  });
}

void FollowerNode::fetch(const Hash& id) {
  world_.network.transmit(id_, coordinator_.id(), [this, id] {
    if (!coordinator_.alive()) return;
    const Bytes* blob = coordinator_.find_blob(id);
    if (blob == nullptr) return;
    world_.network.transmit(coordinator_.id(), id_, [this, id, copy = *blob] {
      if (alive()) receive_blob(id, copy);
    });
  });
}

// ---- miner

MinerNode::MinerNode(Surroundings& world, NodeId id, std::string name, const Seed& seed,
                     CoordinatorNode& coordinator, std::shared_ptr<miner::Conduct> conduct,
                     bool equivocates)
    : FollowerNode(world, id, std::move(name), seed, coordinator),
      conduct_(std::move(conduct)),
      equivocates_(equivocates) {}

void MinerNode::start_core() {
  loop_ = std::make_unique<AnalyticInnerLoop>(world_.params, world_.model, world_.initial_theta);
  Round saved{0};
  if (const auto file = disk_.files.find("trainer"); file != disk_.files.end())
    saved.value = loop_->restore(file->second);
  core_ = std::make_unique<miner::Miner>(world_.params, key_, miner::Config{}, conduct_);
  for (const auto& record : disk_.journal()) (void)core_->recover(record.bytes, saved);
  reached_ = core_->head().round();
  const auto layout = state::layout_of(world_.params.model);
  carry_out(core_->start(state::parameters_root(layout, loop_->parameters()),
                         world_.events.now_ms()));
}

void MinerNode::receive(const Bytes& message) {
  if (alive_) carry_out(core_->on_message(message, world_.events.now_ms()));
}

void MinerNode::receive_blob(const Hash& id, const Bytes& blob) {
  carry_out(core_->on_blob(id, blob, world_.events.now_ms()));
}

void MinerNode::carry_out(miner::Actions actions) {
  perform_all(std::move(actions), [this](miner::Action& action) { perform(action); });
}

void MinerNode::train(const miner::Train& train) {
  const std::atomic<bool> never{false};
  auto task = train.task;
  if (forgetful_ && task.sequences.size() > 1) std::swap(task.sequences[0], task.sequences[1]);
  if (forgetful_) task.inner_steps = std::max(1u, task.inner_steps / 2);
  auto report = loop_->train(task, never, [](std::uint32_t) {});
  auto payload = loop_->encode(train.format);
  MUSTER_CHECK(report && payload, "the analytic model trains");
  disk_.files["trainer"] = loop_->snapshot(core_->head().round().value);
  // The planted forgetful miner is early, so that its second commit still meets an open round.
  const bool early =
      world_.config.bug == PlantedBug::kForgetfulMiner && id_ == world_.config.miners;
  const TimeMs duration =
      early ? kCrashSoonMs : kTrainMs + static_cast<TimeMs>(random_.below(kTrainMs));
  later(duration, [this, round = task.round, report = *report,
                            payload = std::move(*payload)]() mutable {
    carry_out(core_->on_trained(round, report, std::move(payload), world_.events.now_ms()));
  });
}

void MinerNode::apply(const miner::Apply& apply) {
  loop_->settle(apply.settlement);
  if (apply.aggregate) MUSTER_CHECK(loop_->apply(*apply.aggregate).has_value(), "apply");
  if (world_.config.bug == PlantedBug::kFlippedBit && apply.next.value == 4 && id_ == 3)
    loop_->flip_bit();
  disk_.files["trainer"] = loop_->snapshot(apply.next.value);
  later(kMeasureMs, [this, next = apply.next] {
    const Hash root =
        state::parameters_root(state::layout_of(world_.params.model), loop_->parameters());
    reached_ = next;
    auto actions = core_->on_applied(next, root, world_.events.now_ms());
    world_.checkers.saw_state(name_, next, core_->head().state_id(), root);
    carry_out(std::move(actions));
  });
}

void MinerNode::upload(const Hash& id) {
  const auto blob = disk_.blobs.find(id);
  if (blob == disk_.blobs.end()) return;
  world_.network.transmit(id_, coordinator_.id(), [this, id, copy = blob->second] {
    coordinator_.receive_blob(hotkey(), id, copy);
  });
}

void MinerNode::perform(miner::Action& action) {
  using namespace miner;
  std::visit(
      Overloaded{
          [&](Send& send_action) {
            send(send_action.message);
            auto envelope = wire::reread_envelope(send_action.message).value();
            if (world_.config.bug == PlantedBug::kForgetfulMiner && !forgetful_ &&
                id_ == world_.config.miners && envelope.round == kForgottenRound &&
                protocol::is_a(envelope, protocol::MessageType::kCommit)) {
              disk_.forget_last();
              forgetful_ = true;
              crash_soon();
            }
            if (equivocates_ && protocol::is_a(envelope, protocol::MessageType::kCommit)) {
              auto commit = protocol::read_body<protocol::Commit>(envelope).value();
              ++commit.inner_steps;
              envelope.body = wire::encode(commit);
              send(wire::seal_envelope(envelope, key_));
            }
          },
          [&](Persist& record) { persist(record.round, record.message); },
          [&](Train& train_action) { train(train_action); },
          [](StopTraining&) {},
          [&](Upload& upload_action) {
            disk_.blobs[upload_action.id] = std::move(upload_action.blob);
            upload(upload_action.id);
          },
          [&](UploadAgain& again) { upload(again.id); },
          [&](Fetch& fetch_action) { fetch(fetch_action.id); },
          [&](Apply& apply_action) { apply(apply_action); },
          [](RoundDone&) {},
          [&](Accuse& accuse) {
            world_.checkers.saw_accusation(name_, std::string(name_of(accuse.reason)));
          },
          [](Note&) {},
          [](Finish&) {},
      },
      action);
}

// ---- validator

void ValidatorNode::start_core() {
  std::vector<float> theta = world_.initial_theta;
  std::vector<float> residual(theta.size(), 0.0f);
  Round saved{0};
  if (const auto file = disk_.files.find("state"); file != disk_.files.end()) {
    ByteReader reader(file->second);
    saved.value = reader.read<std::uint64_t>();
    const std::size_t bytes = theta.size() * sizeof(float);
    std::memcpy(theta.data(), reader.take(bytes).data(), bytes);
    std::memcpy(residual.data(), reader.take(bytes).data(), bytes);
  }
  probe_ = std::make_unique<AnalyticLossProbe>(world_.params, world_.model, theta);
  core_ = std::make_unique<verify::Validator>(world_.params, key_, verify::Config{},
                                              std::move(residual));
  for (const auto& record : disk_.journal()) (void)core_->recover(record.bytes, saved);
  reached_ = core_->head().round();
  carry_out(core_->start(state::parameters_root(state::layout_of(world_.params.model), theta),
                         world_.events.now_ms()));
}

void ValidatorNode::receive(const Bytes& message) {
  if (alive_) carry_out(core_->on_message(message, world_.events.now_ms()));
}

void ValidatorNode::receive_blob(const Hash& id, const Bytes& blob) {
  carry_out(core_->on_blob(id, blob, world_.events.now_ms()));
}

void ValidatorNode::carry_out(verify::Actions actions) {
  perform_all(std::move(actions), [this](verify::Action& action) { perform(action); });
}

void ValidatorNode::apply(const verify::Apply& apply) {
  if (apply.aggregate) MUSTER_CHECK(probe_->apply(*apply.aggregate).has_value(), "apply");
  ByteWriter writer;
  writer.write(apply.next.value);
  writer.append(bytes_of(probe_->parameters()));
  writer.append(bytes_of(std::span<const float>(*apply.downlink_residual)));
  disk_.files["state"] = std::move(writer).take();
  const double loss = probe_->held_out_loss().value();
  if (apply.next.value == 1) world_.report.loss_first = loss;
  world_.report.loss_last = loss;
  later(kMeasureMs, [this, next = apply.next] {
    const Hash root =
        state::parameters_root(state::layout_of(world_.params.model), probe_->parameters());
    reached_ = next;
    auto actions = core_->on_applied(next, root, world_.events.now_ms());
    world_.checkers.saw_state(name_, next, core_->head().state_id(), root);
    carry_out(std::move(actions));
  });
}

void ValidatorNode::perform(verify::Action& action) {
  using namespace verify;
  std::visit(
      Overloaded{
          [&](Send& send_action) { send(send_action.message); },
          [&](Persist& record) { persist(record.round, record.message); },
          [&](Fetch& fetch_action) { fetch(fetch_action.id); },
          [&](ComputeGradient& compute) {
            MUSTER_CHECK(probe_->compute_gradient(compute.sequences).has_value(), "gradient");
            later(kMeasureMs, [this, round = compute.round] {
              carry_out(core_->on_gradient(round, world_.events.now_ms()));
            });
          },
          [&](MeasureCosines& measure) {
            std::map<Uid, double> cosines;
            for (const auto& item : measure.items)
              cosines[item.uid] = probe_->gradient_cosine(*item.payload);
            later(kMeasureMs, [this, round = measure.round, cosines = std::move(cosines)] {
              carry_out(core_->on_cosines(round, cosines, world_.events.now_ms()));
            });
          },
          [&](Score& score_action) {
            const std::atomic<bool> never{false};
            auto measured = score(*probe_, score_action.task, never);
            MUSTER_CHECK(measured.has_value(), "the analytic model scores");
            later(kMeasureMs, [this, round = score_action.task.round,
                               measurements = std::move(*measured)] {
              carry_out(core_->on_scored(round, measurements, probe_->platform_class(),
                                         world_.events.now_ms()));
            });
          },
          [](StopScoring&) {},
          [&](Apply& apply_action) { apply(apply_action); },
          [](Rated&) {},
          [&](Accuse& accuse) {
            world_.checkers.saw_accusation(name_, std::string(name_of(accuse.reason)));
          },
          [](Note&) {},
          [](Finish&) {},
      },
      action);
}

}  // namespace muster::sim
