#include "sim/nodes.h"

#include <bit>

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
constexpr Round kForgottenRound{2};

}  // namespace

// ---- all nodes

Node::Node(Surroundings& world, NodeId id, std::string name, const Seed& seed)
    : world_(world),
      id_(id),
      name_(std::move(name)),
      key_(seed),
      random_(world.config.seed, 1000 + id),
      ledger_(world.ledger.genesis(), world.ledger.key()) {}

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

void Node::look_at_ledger() {
  if (!alive_) return;
  const bool rolls_back = world_.config.bug == PlantedBug::kLedgerGoesBack;
  if (const Status served = world_.ledger.serve(ledger_); !served) {
    note(served.error().message);
    if (!rolls_back) world_.checkers.saw_accusation(name_, served.error().message);
  }
  if (ledger_.head()) take_head(*ledger_.head());
}

void Node::compare_heads(const std::vector<protocol::SeenHead>& heads) {
  for (const std::string& difference : head_watch_.compare(
           [this](auto& head) { return world_.ledger.compare(ledger_, head); }, heads))
    world_.checkers.saw_accusation(name_, difference);
}

void Node::note(const std::string& text) {
  if (!world_.config.is_adversary(id_)) world_.report.notes.insert(text);
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

// ---- followers

Tamper* FollowerNode::tamper() const {
  return world_.config.is_adversary(id_) ? world_.config.tamper.get() : nullptr;
}

TimeMs FollowerNode::work_ms(TimeMs usual) const {
  return usual + (world_.config.is_adversary(id_) ? 0 : world_.config.honest_delay_ms);
}

void FollowerNode::send(const Bytes& message) {
  if (tamper() == nullptr) return send_as_is(message);
  for (auto& outgoing : tamper()->message(key_, message)) {
    if (outgoing.delay == 0) {
      send_as_is(outgoing.message);
    } else {
      later(outgoing.delay, [this, late = std::move(outgoing.message)] { send_as_is(late); });
    }
  }
}

void FollowerNode::send_as_is(const Bytes& message) {
  ++world_.report.messages;
  world_.checkers.saw_message(hotkey(), message);
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

protocol::ValidatorStakes FollowerNode::stakes() const {
  return protocol::validator_stakes(coordinator_.members().members);
}

// As the services do it.
protocol::SavedExtent FollowerNode::extent_of(std::uint64_t saved) {
  protocol::SavedExtent extent(saved);
  for (const auto& record : disk_.journal()) check_recovered(extent.take(record.bytes));
  return extent;
}

void FollowerNode::note_restart(const protocol::SavedExtent& extent, std::uint64_t saved,
                                const protocol::Position& position) {
  if (extent.needs_restart_record() && world_.config.bug != PlantedBug::kUnnotedRestart)
    persist(position.round, protocol::sign_message(position, protocol::Restarted{saved}, key_));
}

void FollowerNode::check_recovered(const Status& recovered) {
  if (!recovered)
    world_.checkers.saw_accusation(name_, "its journal: " + recovered.error().message);
}

bool FollowerNode::bit_flips() {
  const double chance = world_.config.bit_flips_per_round;
  if (world_.calm || damaged_once_ || chance == 0 || !random_.chance(chance)) return false;
  damaged_once_ = true;
  world_.checkers.saw_damage(name_);
  ++world_.report.bit_flips;
  return true;
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
  std::uint64_t saved = 0, index = 0;
  if (const auto file = disk_.files.find("trainer"); file != disk_.files.end())
    saved = loop_->restore(file->second);
  core_ = std::make_unique<miner::Miner>(world_.params, key_, miner::Config{}, conduct_);
  const auto extent = extent_of(saved);
  for (const auto& record : disk_.journal())
    check_recovered(core_->recover(record.bytes, extent.contains(index++)));
  note_restart(extent, saved, core_->head().position());
  reached_ = core_->head().round();
  const auto layout = state::layout_of(world_.params.model);
  carry_out(
      core_->start(state::parameters_root(layout, loop_->parameters()), world_.events.now_ms()));
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
  disk_.files["trainer"] = loop_->snapshot(disk_.journal().size());
  // The planted forgetful miner is early, so that its second commit still meets an open round.
  const bool early =
      world_.config.bug == PlantedBug::kForgetfulMiner && id_ == world_.config.miners;
  const TimeMs duration =
      early ? kCrashSoonMs : work_ms(kTrainMs + static_cast<TimeMs>(random_.below(kTrainMs)));
  later(duration,
        [this, round = task.round, report = *report, payload = std::move(*payload)]() mutable {
          carry_out(core_->on_trained(round, report, std::move(payload), world_.events.now_ms()));
        });
}

void MinerNode::apply(const miner::Apply& apply) {
  if (apply.settlement) loop_->settle(*apply.settlement);
  if (apply.aggregate) MUSTER_CHECK(loop_->apply(*apply.aggregate).has_value(), "apply");
  if (world_.config.bug == PlantedBug::kFlippedBit && apply.next.value == 4 && id_ == 3)
    loop_->flip_bit();
  disk_.files["trainer"] = loop_->snapshot(disk_.journal().size());
  later(kMeasureMs, [this, next = apply.next] {
    const Hash root =
        state::parameters_root(state::layout_of(world_.params.model), loop_->parameters());
    reached_ = next;
    auto actions = core_->on_applied(next, root, world_.events.now_ms());
    world_.checkers.saw_state(name_, next, core_->head().state_id(), root);
    if (next.value < world_.config.rounds && bit_flips()) loop_->flip_bit();
    carry_out(std::move(actions));
  });
}

void MinerNode::adopt(const miner::Adopt& adopt) {
  for (std::uint64_t i = 0; i < adopt.missed; ++i) loop_->settle(protocol::Settlement::kMissed);
  (void)loop_->set_parameters(adopt.theta ? *adopt.theta : world_.initial_theta);
  disk_.files["trainer"] = loop_->snapshot(disk_.journal().size());
  ++(adopt.theta ? world_.report.joins : world_.report.restarts_from_genesis);
  later(kMeasureMs, [this] {
    const Hash root =
        state::parameters_root(state::layout_of(world_.params.model), loop_->parameters());
    auto actions = core_->on_adopted(root, world_.events.now_ms());
    reached_ = core_->head().round();
    world_.checkers.saw_state(name_, reached_, core_->head().state_id(), root);
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
  std::visit(Overloaded{
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
                   Bytes blob = std::move(upload_action.blob);
                   if (tamper() != nullptr) blob = tamper()->blob(std::move(blob));
                   disk_.blobs[upload_action.id] = std::move(blob);
                   upload(upload_action.id);
                 },
                 [&](UploadAgain& again) { upload(again.id); },
                 [&](Fetch& fetch_action) { fetch(fetch_action.id); },
                 [&](Apply& apply_action) { apply(apply_action); },
                 [&](AskStakes&) {
                   later(kMeasureMs,
                         [this] { carry_out(core_->on_stakes(stakes(), world_.events.now_ms())); });
                 },
                 [&](Adopt& job) { adopt(job); },
                 [](RoundDone&) {},
                 [&](Accuse& accuse) {
                   world_.checkers.saw_accusation(name_, std::string(name_of(accuse.reason)));
                 },
                 [&](Note& said) { note(said.text); },
                 [&](CompareHeads& compare) { compare_heads(compare.heads); },
                 [](Finish&) {},
             },
             action);
}

// ---- validator

void ValidatorNode::start_core() {
  std::vector<float> theta = world_.initial_theta;
  std::vector<float> residual(theta.size(), 0.0f);
  std::uint64_t saved = 0, index = 0;
  if (const auto file = disk_.files.find("state"); file != disk_.files.end()) {
    ByteReader reader(file->second);
    saved = reader.read<std::uint64_t>();
    const std::size_t bytes = theta.size() * sizeof(float);
    std::memcpy(theta.data(), reader.take(bytes).data(), bytes);
    std::memcpy(residual.data(), reader.take(bytes).data(), bytes);
  }
  probe_ = std::make_unique<AnalyticLossProbe>(world_.params, world_.model, theta);
  core_ = std::make_unique<verify::Validator>(world_.params, key_, verify::Config{},
                                              std::move(residual));
  const auto extent = extent_of(saved);
  for (const auto& record : disk_.journal())
    check_recovered(core_->recover(record.bytes, extent.contains(index++)));
  note_restart(extent, saved, core_->head().position());
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

void ValidatorNode::save(const std::vector<float>& downlink_residual) {
  ByteWriter writer;
  writer.write(std::uint64_t{disk_.journal().size()});
  writer.append(bytes_of(probe_->parameters()));
  writer.append(bytes_of(std::span<const float>(downlink_residual)));
  disk_.files["state"] = std::move(writer).take();
}

// The first validator's folder is gone, once.
bool ValidatorNode::lose_folder(Round next) {
  if (world_.config.folder_lost_before != next || lost_folder_ || id_ != world_.config.miners + 1)
    return false;
  lost_folder_ = true;
  disk_ = Disk();
  crash();
  return true;
}

void ValidatorNode::flip_bit() {
  std::vector<float> theta(probe_->parameters().begin(), probe_->parameters().end());
  float& value = theta[random_.below(theta.size())];
  value = std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) ^ 1u);
  (void)probe_->set_parameters(theta);
}

void ValidatorNode::adopt(const verify::Adopt& adopt) {
  (void)probe_->set_parameters(adopt.theta ? *adopt.theta : world_.initial_theta);
  save(*adopt.downlink_residual);
  ++(adopt.theta ? world_.report.joins : world_.report.restarts_from_genesis);
  later(kMeasureMs, [this] {
    const Hash root =
        state::parameters_root(state::layout_of(world_.params.model), probe_->parameters());
    auto actions = core_->on_adopted(root, world_.events.now_ms());
    reached_ = core_->head().round();
    world_.checkers.saw_state(name_, reached_, core_->head().state_id(), root);
    carry_out(std::move(actions));
  });
}

void ValidatorNode::apply(const verify::Apply& apply) {
  if (apply.aggregate) MUSTER_CHECK(probe_->apply(*apply.aggregate).has_value(), "apply");
  save(*apply.downlink_residual);
  if (lose_folder(apply.next)) return;
  const double loss = probe_->held_out_loss().value();
  if (apply.next.value == 1) world_.report.loss_first = loss;
  world_.report.loss_last = loss;
  later(kMeasureMs, [this, next = apply.next] {
    const Hash root =
        state::parameters_root(state::layout_of(world_.params.model), probe_->parameters());
    reached_ = next;
    auto actions = core_->on_applied(next, root, world_.events.now_ms());
    world_.checkers.saw_state(name_, next, core_->head().state_id(), root);
    if (next.value < world_.config.rounds && bit_flips()) flip_bit();
    carry_out(std::move(actions));
  });
}

void ValidatorNode::perform(verify::Action& action) {
  using namespace verify;
  std::visit(
      Overloaded{
          [&](Send& send_action) {
            has_screened_ =
                has_screened_ || protocol::is_a(wire::reread_envelope(send_action.message).value(),
                                                protocol::MessageType::kScreen);
            send(send_action.message);
          },
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
              cosines[item.uid] = probe_->gradient_cosine(item.payload->whole).value();
            later(work_ms(kMeasureMs), [this, round = measure.round, cosines = std::move(cosines)] {
              carry_out(core_->on_cosines(round, cosines, world_.events.now_ms()));
            });
          },
          [&](Score& score_action) {
            const std::atomic<bool> never{false};
            auto scored = measure(*probe_, score_action, never);
            MUSTER_CHECK(scored.has_value(), "the analytic model scores");
            if (tamper() != nullptr) tamper()->scored(*scored);
            later(kMeasureMs, [this, scored = std::move(*scored)] {
              carry_out(core_->on_scored(scored, probe_->platform_class(), world_.events.now_ms()));
            });
          },
          [](StopScoring&) {},
          [&](Apply& apply_action) { apply(apply_action); },
          [&](AskStakes&) {
            later(kMeasureMs, [this] {
              carry_out(core_->on_stakes(stakes(), has_screened_, world_.events.now_ms()));
            });
          },
          [&](AskMembers& job) {
            later(kMeasureMs, [this, round = job.round] {
              carry_out(core_->on_members(round, coordinator_.members()));
            });
          },
          [&](Adopt& job) { adopt(job); },
          [](Rated&) {},
          [&](Accuse& accuse) {
            world_.checkers.saw_accusation(name_, std::string(name_of(accuse.reason)));
          },
          [&](Note& said) { note(said.text); },
          [&](CompareHeads& compare) { compare_heads(compare.heads); },
          [](Finish&) {},
      },
      action);
}

}  // namespace muster::sim
