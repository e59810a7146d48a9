// A coordinator whose folder is an older copy, or was rebuilt: what it signed comes back from its
// nodes, and it never signs a second version of it.
#include "tests/coordinator/coordinator_fixture.h"

namespace muster::coordinator {
namespace {

using protocol::MessageType;
using protocol::Phase;

class TakingBackTest : public CoordinatorTest {
 protected:
  // A round is sealed and the next one open.
  void open_second_round() {
    all_ready();
    run_round();
    all_ready();
    ASSERT_EQ(core_->phase(), Phase::kTrain);
    ASSERT_EQ(core_->head().round(), Round{1});
  }
  // As with a copy of the folder that was made before the first record of that kind and of the open
  // round.
  void restart_before(MessageType type) {
    const Round round = core_->head().round();
    const auto first = std::ranges::find_if(journal_, [&](const Bytes& record) {
      const auto envelope = wire::reread_envelope(record).value();
      return is_a(envelope, type) && envelope.round == round;
    });
    ASSERT_NE(first, journal_.end());
    journal_.erase(first, journal_.end());
    broadcast_seen_ = broadcast_;
    broadcast_.clear();
    sent_.clear();
    restart();
  }
  Bytes seen(MessageType type) const {
    for (auto message = broadcast_seen_.rbegin(); message != broadcast_seen_.rend(); ++message)
      if (is_a(wire::reread_envelope(*message).value(), type)) return *message;
    return {};
  }
  bool was_sent(std::uint16_t uid, MessageType type) const {
    return std::ranges::any_of(sent_, [&](const Send& sent) {
      return sent.to == key(uid).public_key() &&
             is_a(wire::reread_envelope(sent.message).value(), type);
    });
  }
  protocol::Ready ready_that_saw(std::uint16_t uid, Phase phase) const {
    auto message = ready(uid);
    message.seen = phase;
    return message;
  }
  std::vector<Bytes> broadcast_seen_;
};

TEST_F(TakingBackTest, AnOpeningThatANodeHasSeenIsAskedForAndNotSignedAgain) {
  open_second_round();
  restart_before(MessageType::kRoundOpen);
  ASSERT_EQ(core_->phase(), Phase::kGather);
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{1, 2, 3, 4})
    send(uid, ready(uid));
  tick(core_->head().grace_ms() + 1);
  EXPECT_EQ(core_->phase(), Phase::kGather)
      << "one that is away may have seen what this copy does not know";

  send(0, ready_that_saw(0, Phase::kTrain));
  EXPECT_TRUE(was_sent(0, MessageType::kRoundResume)) << "asks for it";
  EXPECT_EQ(core_->phase(), Phase::kGather);
  deliver(0, seen(MessageType::kRoundOpen));
  EXPECT_EQ(core_->phase(), Phase::kTrain);
  EXPECT_EQ(last_broadcast(MessageType::kRoundOpen), seen(MessageType::kRoundOpen));
  EXPECT_TRUE(std::ranges::find(journal_, seen(MessageType::kRoundOpen)) != journal_.end())
      << "and it is durable";
  run_round();
  EXPECT_EQ(core_->head().round(), Round{2});
}

TEST_F(TakingBackTest, AMinersFormOfTheOpeningShowsThatThereIsOneAndNoOtherIsSigned) {
  open_second_round();
  const Bytes whole = last_broadcast(MessageType::kRoundOpen);
  const Bytes form = protocol::MinerForms(whole).form_for(key(0).public_key());
  restart_before(MessageType::kRoundOpen);
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{1, 2, 3, 4})
    send(uid, ready(uid));
  deliver(0, form);
  EXPECT_TRUE(noted("is open already, and this folder lacks its opening"));
  tick(params_.timing.gather_ms);
  EXPECT_EQ(core_->phase(), Phase::kGather);
  deliver(3, whole);
  EXPECT_EQ(core_->phase(), Phase::kTrain);
  EXPECT_EQ(last_broadcast(MessageType::kRoundOpen), whole);
}

TEST_F(TakingBackTest, AnOlderCopyOpensByItselfAtTheHardBoundOnly) {
  open_second_round();
  restart_before(MessageType::kRoundOpen);
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{1, 2, 3, 4})
    send(uid, ready(uid));
  tick(params_.timing.gather_ms - 1);
  EXPECT_EQ(core_->phase(), Phase::kGather);
  tick(1);
  EXPECT_EQ(core_->phase(), Phase::kTrain);
}

TEST_F(TakingBackTest, NodesGiveBackTheCloseAndTheirPayloads) {
  open_second_round();
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{0, 1, 2})
    deliver_payload(uid);
  ASSERT_EQ(core_->phase(), Phase::kReveal);
  const auto payloads = *listed_;
  restart_before(MessageType::kCommit);
  std::map<Hash, Bytes> lost;
  for (const Hash& id : payloads) lost.insert(blobs_.extract(id));
  listed_.reset();
  expected_.clear();

  send(1, ready_that_saw(1, Phase::kReveal));
  EXPECT_TRUE(was_sent(1, MessageType::kRoundResume));
  deliver(1, seen(MessageType::kCommitsClosed));
  ASSERT_EQ(core_->phase(), Phase::kReveal);
  EXPECT_EQ(listed_, payloads);
  EXPECT_EQ(expected_.size(), 3u) << "what was uploaded is lost as well";
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{0, 1, 2}) reveal(uid);
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{3, 4}) send(uid, screen(uid));
  EXPECT_EQ(core_->head().round(), Round{1}) << "not sealed without its payloads";
  sent_.clear();
  send(0, ready_that_saw(0, Phase::kReveal));
  EXPECT_TRUE(was_sent(0, MessageType::kRoundResume))
      << "who was not connected yet when all were asked for theirs";
  blobs_.merge(lost);
  for (const ExpectUpload& upload : expected_) take(core_->on_blob(upload.from, upload.id, now_));
  tick();
  EXPECT_EQ(core_->head().round(), Round{2});
  EXPECT_FALSE(sealed_.back().manifest.null_round);
}

TEST_F(TakingBackTest, ASealedRoundIsNotSealedAgainWithoutWhatItsManifestRestsOn) {
  open_second_round();
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{0, 1, 2})
    deliver_payload(uid);
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{0, 1, 2}) reveal(uid);
  const auto at = core_->head().position();
  for (const std::uint16_t uid : std::initializer_list<std::uint16_t>{3, 4}) send(uid, screen(uid));
  ASSERT_EQ(core_->head().round(), Round{2});
  const auto record = sealed_.back().manifest.record_id;
  journal_.erase(std::ranges::find_if(journal_,
                                      [&](const Bytes& entry) {
                                        const auto envelope = wire::reread_envelope(entry).value();
                                        return is_a(envelope, MessageType::kScreen) &&
                                               envelope.round == at.round;
                                      }),
                 journal_.end());
  broadcast_seen_ = broadcast_;
  broadcast_.clear();
  const auto lost = blobs_.extract(record);
  restart();
  ASSERT_EQ(core_->phase(), Phase::kScreen);
  deliver(3, seen(MessageType::kManifest));
  EXPECT_TRUE(noted("--rebuild-from"));
  tick(params_.timing.screen_ms);
  EXPECT_EQ(core_->head().round(), Round{1}) << "no second manifest";
  EXPECT_TRUE(last_broadcast(MessageType::kManifest).empty());
}

TEST_F(TakingBackTest, ASealedRoundWhoseBlobsAreHereGoesOn) {
  open_second_round();
  run_round();
  const auto root = sealed_.back().theta_root;
  journal_.pop_back();
  broadcast_seen_ = std::exchange(broadcast_, {});
  config_.restored = true;
  restart();
  ASSERT_EQ(core_->phase(), Phase::kScreen);
  tick(params_.timing.gather_ms - 1);
  EXPECT_EQ(core_->phase(), Phase::kScreen)
      << "has all Screens, and asks first whether it sealed already";
  deliver(4, seen(MessageType::kManifest));
  EXPECT_EQ(core_->head().round(), Round{2});
  EXPECT_EQ(state::parameters_root(layout_, theta_), root);
}

TEST_F(TakingBackTest, OnlyItsOwnMessagesComeBack) {
  open_second_round();
  restart_before(MessageType::kRoundOpen);
  const auto genuine = protocol::read_body<protocol::RoundOpen>(
                           wire::reread_envelope(seen(MessageType::kRoundOpen)).value())
                           .value();
  deliver(0, signed_by(0, genuine));
  Bytes changed = seen(MessageType::kRoundOpen);
  changed[changed.size() / 2] ^= 1;
  deliver(0, changed);
  EXPECT_EQ(core_->phase(), Phase::kGather);
}

TEST_F(TakingBackTest, ASecondVersionOfItsOwnIsSaidAndNotTaken) {
  open_second_round();
  restart_before(MessageType::kRoundOpen);
  all_ready();
  ASSERT_EQ(core_->phase(), Phase::kTrain);
  auto other = last_open();
  other.ledger_block += 1;
  deliver(0, protocol::sign_message(core_->head().position(), other, coordinator_));
  EXPECT_TRUE(noted("two versions"));
}

// ---- a folder that was rebuilt from a validator's state

class RebuiltTest : public TakingBackTest {
 protected:
  void SetUp() override {
    all_ready();
    run_round();
    const auto head = core_->head();
    checkpoint_ = head.state();
    const Bytes blob = protocol::encode_state(layout_, *checkpoint_, theta_, residual_);
    const Hash id = compression::blob_id(blob).value();
    blobs_ = {{id, blob}};
    journal_ = {
        protocol::sign_message(head.position(), protocol::Joined{wire::encode(*checkpoint_)},
                               coordinator_),
        protocol::sign_message(head.position(), protocol::Checkpoint{id, {}}, coordinator_)};
    sent_.clear();
    go_on();
  }
  void go_on(bool state_is_there = true) {
    if (!state_is_there) checkpoint_.reset();
    core_ = std::make_unique<Coordinator>(params_, coordinator_, config_,
                                          ModelMemory{theta_, residual_, checkpoint_},
                                          [this](const Hash& id) -> Result<Bytes> {
                                            const auto found = blobs_.find(id);
                                            if (found == blobs_.end())
                                              return Error{Errc::kNotFound, "blob " + id.hex()};
                                            return found->second;
                                          });
    take(core_->on_ledger(ledger(), now_));
    recovered_ = {};
    for (const Bytes& record : journal_)
      if (recovered_) recovered_ = core_->recover(record);
    if (recovered_) take(core_->start(now_));
  }
  protocol::Ready behind(std::uint16_t uid) const {
    auto message = ready(uid);
    message.takes_checkpoint = true;
    return message;
  }
  void say_behind(std::uint16_t uid) {
    const protocol::Position start{core_->head().position().run_id, Round{0}, {}};
    deliver(uid, protocol::sign_message(start, behind(uid), key(uid)));
  }
  std::optional<protocol::HeadState> checkpoint_;
  Status recovered_;
};

TEST_F(RebuiltTest, GoesOnAtTheRoundOfTheState) {
  ASSERT_TRUE(recovered_);
  EXPECT_EQ(core_->head().round(), Round{1});
  EXPECT_EQ(core_->base(), Round{1});
  all_ready();
  run_round();
  EXPECT_EQ(core_->head().round(), Round{2});
}

TEST_F(RebuiltTest, WithoutTheStateItSaysSo) {
  go_on(false);
  ASSERT_FALSE(recovered_);
  EXPECT_NE(recovered_.error().message.find("--rebuild-from"), std::string::npos);
}

TEST_F(RebuiltTest, ANodeBehindTheRecordsGetsTheFirstCheckpointThatIsAttested) {
  say_behind(0);
  EXPECT_TRUE(was_sent(0, MessageType::kRefused)) << "nobody has attested the state yet";
  EXPECT_TRUE(replays_.empty());
  for (const std::uint16_t uid :
       std::initializer_list<std::uint16_t>{std::uint16_t{3}, std::uint16_t{4}})
    send(uid, protocol::attest_of(core_->head(), state::parameters_root(layout_, theta_),
                                  state::parameters_root(layout_, residual_)));
  say_behind(0);
  take(core_->on_checkpoint(blobs_.begin()->first, now_));
  sent_.clear();
  say_behind(0);
  EXPECT_TRUE(was_sent(0, MessageType::kCheckpoint));
}

}  // namespace
}  // namespace muster::coordinator
