#include "sim/hostile_node.h"

#include <array>
#include <limits>

#include "base/limits.h"
#include "compression/segmented_blob.h"
#include "protocol/assessment.h"
#include "protocol/beacon.h"
#include "protocol/sealed_payload.h"

namespace muster::sim {
namespace {

constexpr TimeMs kActEveryMs = 100;
constexpr std::size_t kSeenMax = 64;
constexpr std::size_t kPositionsMax = 6;

}  // namespace

HostileNode::HostileNode(Surroundings& world, NodeId id, std::string name, const Seed& seed,
                         CoordinatorNode& coordinator, Role role)
    : FollowerNode(world, id, std::move(name), seed, coordinator), role_(role) {
  positions_.push_back({protocol::run_id_of(world.params), Round{0}, Hash{}});
}

void HostileNode::receive(const Bytes& message) {
  if (!alive_) return;
  seen_.push_back(message);
  if (seen_.size() > kSeenMax) seen_.pop_front();
  const auto envelope = wire::reread_envelope(message);
  if (!envelope) return;
  if (const auto open = protocol::read_body<protocol::RoundOpen>(*envelope)) {
    open_ = *open;
    positions_.push_back({envelope->run_id, envelope->round, envelope->parent});
    if (positions_.size() > kPositionsMax) positions_.pop_front();
    for (const Bytes& attestation : open->attestations) {
      const auto signed_one = wire::reread_envelope(attestation);
      if (const auto attest = protocol::read_body<protocol::Attest>(*signed_one))
        theta_root_ = attest->theta_root;
    }
    send_ready();  // so that it is in the next roster
  }
  if (const auto closed = protocol::read_body<protocol::CommitsClosed>(*envelope))
    commit_root_ = closed->commit_root;
}

void HostileNode::act_soon() {
  later(kActEveryMs, [this] {
    act();
    act_soon();
  });
}

void HostileNode::act() {
  if (world_.calm) return;
  ++world_.report.hostile_steps;
  using Act = void (HostileNode::*)();
  static constexpr std::array<Act, 10> kActs{
      &HostileNode::send_ready,     &HostileNode::send_commit,  &HostileNode::send_reveal,
      &HostileNode::send_screen,    &HostileNode::send_attest,  &HostileNode::send_dispute,
      &HostileNode::send_again,     &HostileNode::send_garbage, &HostileNode::send_foreign_type,
      &HostileNode::upload_anything};
  (this->*kActs[random_.below(kActs.size())])();
}

protocol::Position HostileNode::position() {
  protocol::Position at = positions_.back();
  if (random_.chance(0.1)) at = positions_[random_.below(positions_.size())];
  if (random_.chance(0.05)) at.round.value += random_.below(5);
  if (random_.chance(0.02)) at.round.value = std::numeric_limits<std::uint64_t>::max();
  if (random_.chance(0.02)) at.parent = any_hash();
  if (random_.chance(0.02)) at.run_id = any_hash();
  return at;
}

Hash HostileNode::any_hash() {
  Hash hash;
  for (auto& byte : hash.bytes) byte = static_cast<std::uint8_t>(random_.next_u32());
  return hash;
}

// Of a checkpoint, an aggregate, a record, or somebody's payload.
Hash HostileNode::known_blob() {
  const auto& blobs = coordinator_.disk().blobs;
  if (blobs.empty() || random_.chance(0.1)) return any_hash();
  return std::next(blobs.begin(), static_cast<std::ptrdiff_t>(random_.below(blobs.size())))->first;
}

Bytes HostileNode::any_message() {
  return seen_.empty() ? Bytes{} : seen_[random_.below(seen_.size())];
}

template <class Message>
void HostileNode::sign_and_send(const Message& message) {
  send(protocol::sign_message(position(), message, key_));
}

void HostileNode::send_ready() {
  protocol::Ready ready{
      role_, open_ ? open_->state_id : Hash{}, theta_root_, {any_hash(), any_hash()}};
  for (std::size_t i = 0; i < 2; ++i) {
    const Round round{positions_.back().round.value + 1 + i};
    ready.next_secret_hashes[i] =
        protocol::secret_hash(positions_.back().run_id, round, hotkey(),
                              protocol::validator_secret(key_, positions_.back().run_id, round));
  }
  if (random_.chance(0.1)) ready.role = static_cast<Role>(random_.below(enum_count(Role{})));
  if (random_.chance(0.1)) ready.state_id = any_hash();
  if (random_.chance(0.1)) ready.theta_root = any_hash();
  ready.seen = static_cast<protocol::Phase>(random_.below(enum_count(protocol::Phase{})));
  ready.takes_checkpoint = random_.chance(0.5);
  sign_and_send(ready);
}

// A payload of an extreme size, an honest one, or nothing that can be read; well sealed for its
// round.
Bytes HostileNode::some_payload(const protocol::Position& at) {
  const auto layout = state::layout_of(world_.params.model);
  const auto format = world_.params.uplink_format(at.round);
  static constexpr std::array<float, 7> kScales{1.7e33f, 3e38f, 1e12f, 1e6f, 1e-3f, 1e-30f, 1e-45f};
  const float scale = kScales[random_.below(kScales.size())];
  std::vector<float> dense(layout.parameters());
  for (float& value : dense) value = random_.chance(0.5) ? scale : -scale;
  auto payload = compression::compress(layout, format, dense);
  MUSTER_CHECK(payload.has_value(), "finite values compress");
  if (random_.chance(0.2))
    for (Bytes& segment : payload->segments)
      if (!segment.empty()) segment[random_.below(segment.size())] ^= 0x10;
  const protocol::PayloadContext context{at.run_id, at.round, hotkey()};
  return protocol::seal_payload(context, protocol::payload_key(key_, at.run_id, at.round), layout,
                                *payload);
}

void HostileNode::send_commit() {
  const protocol::Position at = positions_.back();
  const Bytes blob = some_payload(at);
  protocol::Commit commit;
  commit.payload_id = compression::blob_id(blob).value();
  commit.payload_bytes = blob.size();
  commit.sequences_used = world_.params.slice();
  const protocol::PayloadContext context{at.run_id, at.round, hotkey()};
  commit.key_hash =
      protocol::payload_key_hash(context, protocol::payload_key(key_, at.run_id, at.round));
  if (random_.chance(0.3)) commit.payload_id = known_blob();
  if (random_.chance(0.1)) commit.payload_bytes = random_.next_u64();
  if (random_.chance(0.1)) commit.sequences_used = random_.next_u32();
  if (random_.chance(0.1)) commit.key_hash = any_hash();
  sign_and_send(commit);
  if (random_.chance(0.8)) upload(compression::blob_id(blob).value(), blob);
}

void HostileNode::send_reveal() {
  const protocol::Position& at = positions_.back();
  protocol::Reveal reveal{protocol::payload_key(key_, at.run_id, at.round), commit_root_};
  if (random_.chance(0.3)) reveal.key[0] ^= 1;
  if (random_.chance(0.1)) reveal.commit_root = any_hash();
  sign_and_send(reveal);
}

void HostileNode::send_screen() {
  const protocol::Position& at = positions_.back();
  protocol::Screen screen;
  screen.commit_root = random_.chance(0.9) ? commit_root_ : any_hash();
  screen.secret = protocol::validator_secret(key_, at.run_id, at.round);
  if (random_.chance(0.2)) screen.secret[0] ^= 1;
  const std::uint64_t entries = random_.chance(0.2) ? limits::kRosterMax : random_.below(16);
  for (std::uint64_t uid = 0; uid < entries; ++uid)
    screen.entries.push_back(
        {Uid{static_cast<std::uint16_t>(uid)}, random_.chance(0.8),
         static_cast<std::int16_t>(random_.next_u32()),
         static_cast<protocol::Verdict>(random_.below(enum_count(protocol::Verdict{}))),
         static_cast<std::uint16_t>(random_.next_u32())});
  screen.assessment = any_hash();
  protocol::Assessment opened{
      Round{at.round.value - std::min<std::uint64_t>(at.round.value, random_.below(3))}};
  const std::uint64_t evaluations =
      random_.chance(0.1) ? limits::kEvaluationsMax : random_.below(8);
  const auto part = [this] { return static_cast<std::int16_t>(random_.next_u32()); };
  for (std::uint64_t i = 0; i < evaluations; ++i) {
    protocol::Scores scores{part(), {part(), part(), part(), part()}, {}};
    scores.groups_e3.assign(random_.below(20), part());
    opened.evaluations.push_back(
        {Uid{static_cast<std::uint16_t>(i)}, Round{at.round.value + random_.below(2)},
         static_cast<protocol::Basis>(random_.below(4)), std::move(scores),
         static_cast<std::int32_t>(random_.next_u32()),
         static_cast<std::int32_t>(random_.next_u32()), random_.chance(0.5)});
  }
  opened.platform_class = std::string(random_.below(64), '\x1b');
  if (random_.chance(0.5))
    screen.assessment = protocol::assessment_hash(at.run_id, key_.public_key(), opened);
  screen.opened.push_back(std::move(opened));
  sign_and_send(screen);
}

void HostileNode::send_attest() {
  const protocol::Position& at = positions_.back();
  sign_and_send(protocol::Attest{random_.chance(0.8) ? at.parent : any_hash(),
                                 open_ ? open_->state_id : Hash{}, any_hash(), any_hash(),
                                 any_hash()});
}

void HostileNode::send_dispute() {
  protocol::Dispute dispute{
      static_cast<protocol::DisputeReason>(random_.below(6)), any_hash(), any_hash(), {}};
  for (std::uint64_t i = random_.below(6); i > 0; --i) dispute.proof.push_back(any_message());
  if (random_.chance(0.1)) dispute.proof.push_back(Bytes(random_.below(300'000)));
  sign_and_send(dispute);
}

// Its own and others' messages, as they are, with a bit flipped, or with something hung at them.
void HostileNode::send_again() {
  Bytes message = any_message();
  if (auto envelope = wire::reread_envelope(message); envelope && random_.chance(0.2)) {
    envelope->attachment.resize(random_.below(100));
    message = wire::encode_envelope(*envelope);
  }
  if (!message.empty() && random_.chance(0.3)) message[random_.below(message.size())] ^= 0x04;
  send(message);
}

void HostileNode::send_garbage() {
  Bytes garbage(random_.below(4096));
  for (auto& byte : garbage) byte = static_cast<std::uint8_t>(random_.next_u32());
  send(garbage);
}

// What only the coordinator may sign, and what nobody ever sends.
void HostileNode::send_foreign_type() {
  switch (random_.below(6)) {
    case 0: {
      auto open = open_.value_or(protocol::RoundOpen{});
      open.excerpt.reset();
      return sign_and_send(open);
    }
    case 1:
      return sign_and_send(protocol::CommitsClosed{{any_message()}, any_hash()});
    case 2:
      return sign_and_send(protocol::Finished{any_hash(), any_hash()});
    case 3:
      return sign_and_send(protocol::Joined{Bytes(random_.below(64))});
    case 4:
      return sign_and_send(protocol::Restarted{random_.next_u64()});
    default:
      return sign_and_send(protocol::Manifest{});
  }
}

void HostileNode::upload_anything() {
  Bytes blob =
      random_.chance(0.5)
          ? some_payload(positions_.back())
          : compression::write_blob({Bytes(random_.below(200)), {Bytes(random_.below(9000))}});
  const Hash id = random_.chance(0.8) ? compression::blob_id(blob).value() : known_blob();
  upload(id, std::move(blob));
}

void HostileNode::upload(const Hash& id, Bytes blob) {
  world_.network.transmit(id_, coordinator_.id(), [this, id, blob = std::move(blob)] {
    coordinator_.receive_blob(hotkey(), id, blob);
  });
}

}  // namespace muster::sim
