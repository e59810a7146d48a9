// A coordinator's core with miners, three unless a test says otherwise, and two validators around
// it, whose messages a test signs by hand.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "compression/segmented_blob.h"
#include "coordinator/coordinator.h"
#include "protocol/beacon.h"
#include "protocol/sealed_payload.h"
#include "state/state_root.h"

namespace muster::coordinator {

inline SigningKey key_of(std::uint8_t number) {
  Seed seed{};
  seed[0] = number;
  return SigningKey(seed);
}

class CoordinatorTest : public ::testing::Test {
 protected:
  CoordinatorTest() : CoordinatorTest(3) {}
  explicit CoordinatorTest(std::uint16_t miners, std::uint16_t validators = 2)
      : miners_(miners), validators_(validators) {
    config_.start_miners = miners;
    params_.name = "test";
    params_.model = {.d_model = 16,
                     .layers = 1,
                     .heads = 2,
                     .kv_heads = 2,
                     .d_ff = 16,
                     .context = 8,
                     .vocab = 64,
                     .tied = true};
    params_.sequences = 20'000;
    params_.coordinator = coordinator_.public_key();
    params_.training.inner_steps = 4;
    params_.training.batch = 2;
    params_.compression.schedule = {{1, 64}};
    params_.verification.screen_sequences = 8;
    params_.verification.own_sequences = 6;
    params_.verification.shared_sequences = 12;
    params_.verification.unscreened_rounds_max = 3;
    params_.timing = {.gather_ms = 20'000,
                      .train_ms = 30'000,
                      .reveal_ms = 15'000,
                      .screen_ms = 15'000,
                      .grace_min_ms = 500,
                      .grace_max_ms = 2'000,
                      .pause_ms = 500,
                      .pause_max_ms = 4'000,
                      .quorum_percent = 66,
                      .miners_min = 1};
    layout_ = state::layout_of(params_.model);
    theta_.assign(layout_.parameters(), 0.5f);
    residual_.assign(layout_.parameters(), 0.0f);
    params_.initial_theta_root = state::parameters_root(layout_, theta_);
    restart();
  }

  // A new core with what was persisted.
  void restart() {
    std::fill(theta_.begin(), theta_.end(), 0.5f);
    std::fill(residual_.begin(), residual_.end(), 0.0f);
    core_ = std::make_unique<Coordinator>(params_, coordinator_, config_,
                                          ModelMemory{theta_, residual_, {}},
                                          [this](const Hash& id) -> Result<Bytes> {
                                            const auto found = blobs_.find(id);
                                            if (found == blobs_.end() || unreadable_)
                                              return Error{Errc::kNotFound, "blob " + id.hex()};
                                            return found->second;
                                          });
    take(core_->on_ledger(ledger(), now_));
    for (const Bytes& record : journal_) {
      const Status recovered = core_->recover(record);
      ASSERT_TRUE(recovered.has_value()) << recovered.error().message;
    }
    take(core_->start(now_));
  }

  // The first round opens with so many.
  void start_with(std::uint32_t miners, std::uint32_t validators) {
    config_.start_miners = miners;
    config_.start_validators = validators;
    restart();
  }

  LedgerView ledger() const {
    LedgerView view;
    for (std::uint16_t i = 0; i < miners_ + validators_; ++i)
      view.members.push_back(
          {Uid{i}, key(i).public_key(), stake(i), role(i) == Role::kValidator && stake(i) > 0});
    return view;
  }
  // Miners first, then validators.
  static SigningKey key(std::uint16_t uid) { return key_of(static_cast<std::uint8_t>(uid + 1)); }
  [[nodiscard]] Role role(std::uint16_t uid) const {
    return uid < miners_ ? Role::kMiner : Role::kValidator;
  }

  [[nodiscard]] std::uint64_t stake(std::uint16_t uid) const {
    if (role(uid) != Role::kValidator) return 0;
    const auto found = stakes_.find(uid);
    return found == stakes_.end() ? 100 : found->second;
  }

  void take(Actions actions) {
    for (Action& action : actions) {
      if (auto* sent = std::get_if<Send>(&action)) sent_.push_back(*sent);
      if (auto* broadcast = std::get_if<Broadcast>(&action)) {
        broadcast_.push_back(broadcast->message);
        if (broadcast->role != Role::kValidator) bytes_to_miners_ += broadcast->message.size();
      }
      if (auto* record = std::get_if<Persist>(&action)) journal_.push_back(record->message);
      if (auto* store = std::get_if<StoreBlob>(&action)) blobs_[store->id] = store->blob;
      if (auto* replay = std::get_if<ReplayRound>(&action)) replays_.push_back(*replay);
      if (auto* expected = std::get_if<ExpectUpload>(&action)) expected_.push_back(*expected);
      if (auto* end = std::get_if<EndUploads>(&action)) listed_ = end->listed;
      if (auto* note = std::get_if<Note>(&action)) notes_.push_back(note->text);
      if (auto* sealed = std::get_if<RoundSealed>(&action)) sealed_.push_back(*sealed);
    }
  }

  template <class Message>
  Bytes signed_by(std::uint16_t uid, const Message& message) const {
    return protocol::sign_message(core_->head().position(), message, key(uid));
  }
  void deliver(std::uint16_t uid, const Bytes& message) {
    take(core_->on_message(key(uid).public_key(), message, now_));
  }
  template <class Message>
  void send(std::uint16_t uid, const Message& message) {
    deliver(uid, signed_by(uid, message));
  }
  void tick(TimeMs later = 0) {
    now_ += later;
    take(core_->on_tick(now_));
  }
  std::uint64_t refused(Errc code) const {
    const auto found = core_->refused().find(std::string(name_of(code)));
    return found == core_->refused().end() ? 0 : found->second;
  }
  bool noted(const std::string& part) const {
    return std::ranges::any_of(
        notes_, [&](const auto& note) { return note.find(part) != std::string::npos; });
  }

  // The reason in the last message, which must be a Refused.
  std::string last_refusal() const {
    if (sent_.empty()) return {};
    const auto refused =
        protocol::read_body<protocol::Refused>(wire::open_envelope(sent_.back().message).value());
    return refused ? refused->reason : std::string();
  }

  protocol::Ready ready(std::uint16_t uid) const {
    const Round round = core_->head().round();
    const Hash& run = core_->head().position().run_id;
    const auto promise = [&](Round of) {
      return protocol::secret_hash(run, of, key(uid).public_key(),
                                   protocol::validator_secret(key(uid), run, of));
    };
    return {role(uid),
            core_->head().state_id(),
            state::parameters_root(layout_, theta_),
            {promise(round.next()), promise(round.next().next())}};
  }
  void all_ready() {
    for (std::uint16_t uid = 0; uid < miners_ + validators_; ++uid) send(uid, ready(uid));
    tick();
  }

  struct Offer {
    protocol::Commit commit;
    Bytes blob;
  };
  // An update of ±scale in every place, sealed for the open round.
  Offer offer(std::uint16_t uid, float scale) const {
    const protocol::Position& at = core_->head().position();
    std::vector<float> dense(layout_.parameters());
    for (std::size_t i = 0; i < dense.size(); ++i)
      dense[i] = (i * 7 + uid) % 3 == 0 ? scale : -scale / 2;
    const auto payload =
        compression::compress(layout_, params_.uplink_format(at.round), dense).value();
    const protocol::PayloadContext context{at.run_id, at.round, key(uid).public_key()};
    const CipherKey cipher = protocol::payload_key(key(uid), at.run_id, at.round);
    Offer offer;
    offer.blob = protocol::seal_payload(context, cipher, layout_, payload);
    offer.commit.payload_id = compression::blob_id(offer.blob).value();
    offer.commit.payload_bytes = offer.blob.size();
    offer.commit.sequences_used = params_.slice();
    offer.commit.key_hash = protocol::payload_key_hash(context, cipher);
    return offer;
  }
  // Commits and uploads.
  void deliver_payload(std::uint16_t uid, float scale = 1e-2f) {
    const Offer made = offer(uid, scale);
    send(uid, made.commit);
    blobs_[made.commit.payload_id] = made.blob;
    take(core_->on_blob(key(uid).public_key(), made.commit.payload_id, now_));
  }
  void reveal(std::uint16_t uid) {
    const protocol::Position& at = core_->head().position();
    send(uid,
         protocol::Reveal{protocol::payload_key(key(uid), at.run_id, at.round), commit_root()});
  }
  Hash commit_root() const {
    const Bytes close = last_broadcast(protocol::MessageType::kCommitsClosed);
    return protocol::read_body<protocol::CommitsClosed>(wire::reread_envelope(close).value())
        ->commit_root;
  }
  protocol::Screen screen(std::uint16_t uid) const {
    protocol::Screen screen;
    screen.commit_root = commit_root();
    screen.secret = protocol::validator_secret(key(uid), core_->head().position().run_id,
                                               core_->head().round());
    for (const auto& [miner, standing] : standings_)
      screen.entries.push_back(
          {miner, true, 0, protocol::Verdict::kAccept, standing.value, standing.proven});
    return screen;
  }
  Bytes last_broadcast(protocol::MessageType type) const {
    for (auto message = broadcast_.rbegin(); message != broadcast_.rend(); ++message)
      if (is_a(wire::reread_envelope(*message).value(), type)) return *message;
    return {};
  }
  protocol::RoundOpen last_open() const {
    return protocol::read_body<protocol::RoundOpen>(
               wire::reread_envelope(last_broadcast(protocol::MessageType::kRoundOpen)).value())
        .value();
  }
  bool in_roster(std::uint16_t uid) const {
    return protocol::find_in_roster(last_open(), key(uid).public_key()) != nullptr;
  }
  // A whole round by `miners`; `screens` by all validators of the roster, or none.
  void run_round(const std::vector<std::uint16_t>& miners = {0, 1, 2}, bool screens = true,
                 float scale = 1e-2f) {
    for (const std::uint16_t uid : miners) deliver_payload(uid, scale);
    if (core_->phase() == protocol::Phase::kTrain) tick(params_.timing.train_ms);
    for (const std::uint16_t uid : miners) reveal(uid);
    if (core_->phase() == protocol::Phase::kReveal) tick(params_.timing.reveal_ms);
    if (screens)
      for (std::uint16_t uid = miners_; uid < miners_ + validators_; ++uid)
        if (in_roster(uid)) send(uid, screen(uid));
    if (core_->phase() == protocol::Phase::kScreen) tick(params_.timing.screen_ms);
  }

  // A round of three miners and two validators, in which the payload of uid 0 has another scale
  // than the others'.
  void run_round_in_which_uid_0_sends(float scale) {
    deliver_payload(0, scale);
    deliver_payload(1);
    deliver_payload(2);
    for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{0, 1, 2}) reveal(uid);
    for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{3, 4})
      send(uid, screen(uid));
  }

  std::uint16_t miners_, validators_;
  std::map<std::uint16_t, std::uint64_t> stakes_;  // of validators by uid; 100 otherwise
  std::map<Uid, protocol::Standing>
      standings_;  // what Screens say of miners that committed; nothing otherwise
  SigningKey coordinator_ = key_of(255);
  protocol::ProtocolParams params_;
  Config config_{.start_miners = 3, .start_validators = 2};
  compression::Layout layout_;
  std::vector<float> theta_, residual_;
  std::map<Hash, Bytes> blobs_;
  bool unreadable_ = false;
  std::unique_ptr<Coordinator> core_;
  TimeMs now_ = 1000;

  std::vector<Send> sent_;
  std::vector<Bytes> broadcast_, journal_;
  std::size_t bytes_to_miners_ = 0;  // broadcast to each of them
  std::vector<ReplayRound> replays_;
  std::vector<ExpectUpload> expected_;
  std::optional<std::set<Hash>> listed_;
  std::vector<std::string> notes_;
  std::vector<RoundSealed> sealed_;
};

}  // namespace muster::coordinator
