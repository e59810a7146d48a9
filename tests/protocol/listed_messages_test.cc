// RoundOpen and CommitsClosed whole, and in the forms that single miners get.
#include "protocol/listed_messages.h"

#include <gtest/gtest.h>

#include "base/prng.h"
#include "protocol/assignment.h"
#include "protocol/follower.h"
#include "protocol/round_record.h"

namespace muster::protocol {
namespace {

const Position kHere{sha256(bytes_of("run")), Round{4}, sha256(bytes_of("parent"))};

SigningKey key_of(std::uint16_t uid) {
  Seed seed{};
  seed[0] = static_cast<std::uint8_t>(uid);
  seed[1] = static_cast<std::uint8_t>(uid >> 8);
  return SigningKey(seed);
}

// Uids 0, 3, 6, … are validators, the others miners.
RoundOpen open_of(std::uint16_t members) {
  RoundOpen open;
  for (std::uint16_t uid = 0; uid < members; ++uid)
    open.roster.push_back({Uid{uid},
                           key_of(uid).public_key(),
                           uid % 3 == 0 ? Role::kValidator : Role::kMiner,
                           uid,
                           {}});
  open.beacon = sha256(bytes_of("beacon"));
  return open;
}

CommitsClosed close_of(const RoundOpen& open) {
  CommitsClosed closed;
  for (const auto& entry : open.roster)
    if (entry.role == Role::kMiner)
      closed.commits.push_back(sign_message(kHere, Commit{}, key_of(entry.uid.value)));
  closed.commit_root = commit_root_of(closed.commits);
  return closed;
}

template <class Message>
Message read(const Bytes& bytes) {
  return open_at<Message>(bytes, kHere).value().message;
}

TEST(ListedMessages, AWholeMessageIsReadAsItWasSigned) {
  for (const std::uint16_t members : std::initializer_list<std::uint16_t>{0, 1, 2, 3, 7, 256}) {
    const RoundOpen open = open_of(members);
    const RoundOpen back = read<RoundOpen>(sign_message(kHere, open, key_of(999)));
    EXPECT_EQ(back.roster, open.roster);
    EXPECT_FALSE(back.excerpt);
    const CommitsClosed closed = close_of(open);
    EXPECT_EQ(read<CommitsClosed>(sign_message(kHere, closed, key_of(999))).commits,
              closed.commits);
  }
}

TEST(ListedMessages, AMinersFormHasTheValidatorsAndItsOwnEntryAndIsTheSameMessage) {
  const RoundOpen open = open_of(20);
  const Bytes whole = sign_message(kHere, open, key_of(999));
  const MinerForms forms(whole);
  for (const auto& entry : open.roster) {
    const Bytes form = forms.form_for(entry.hotkey);
    const RoundOpen own = read<RoundOpen>(form);
    EXPECT_EQ(wire::message_hash(form), wire::message_hash(whole));
    EXPECT_EQ(own.roster.size(), entry.role == Role::kMiner ? 8u : 7u);
    EXPECT_EQ(*find_in_roster(own, entry.uid), entry);
    EXPECT_EQ(miner_count(own), miner_count(open));
    EXPECT_EQ(miner_rank(own, entry.uid), miner_rank(open, entry.uid));
    EXPECT_EQ(assigned_sequences(kHere.run_id, own, entry.uid, 4, 1000),
              assigned_sequences(kHere.run_id, open, entry.uid, 4, 1000));
  }
}

TEST(ListedMessages, AMinersFormOfTheCloseHasItsCommitIfItIsListed) {
  const RoundOpen open = open_of(9);
  CommitsClosed closed = close_of(open);
  closed.commits.erase(closed.commits.begin());
  closed.commit_root = commit_root_of(closed.commits);
  const MinerForms forms(sign_message(kHere, closed, key_of(999)));
  EXPECT_TRUE(read<CommitsClosed>(forms.form_for(key_of(1).public_key())).commits.empty());
  const CommitsClosed listed = read<CommitsClosed>(forms.form_for(key_of(2).public_key()));
  EXPECT_EQ(listed.commits, std::vector<Bytes>{closed.commits[0]});
  EXPECT_EQ(listed.excerpt, (Excerpt{5, 0}));
}

TEST(ListedMessages, AFormGrowsByOnePathNodeForTwiceTheMiners) {
  const auto bytes_at = [](std::uint16_t members) {
    RoundOpen open;  // no validators: they stand in every form
    for (std::uint16_t uid = 0; uid < members; ++uid)
      open.roster.push_back({Uid{uid}, key_of(uid).public_key(), Role::kMiner, 0, {}});
    return MinerForms(sign_message(kHere, open, key_of(999)))
        .form_for(key_of(0).public_key())
        .size();
  };
  EXPECT_EQ(bytes_at(256) - bytes_at(128), sizeof(Hash));
  EXPECT_EQ(bytes_at(256) - bytes_at(16), 4 * sizeof(Hash));
}

TEST(ListedMessages, WhatIsAttachedMustLeadToTheSignedRoot) {
  const RoundOpen open = open_of(9), other = open_of(12);
  wire::Envelope envelope = wire::reread_envelope(sign_message(kHere, open, key_of(999))).value();
  const auto code_with = [&](const Bytes& attachment) {
    wire::Envelope changed = envelope;
    changed.attachment = attachment;
    const auto read = read_body<RoundOpen>(changed);
    return read ? Errc::kVersion : read.error().code;
  };
  EXPECT_EQ(code_with(parts_of(other).attachment), Errc::kBadHash);
  EXPECT_EQ(code_with({}), Errc::kTruncated);
  const MinerForms others(sign_message(kHere, other, key_of(999)));
  EXPECT_NE(
      code_with(wire::reread_envelope(others.form_for(key_of(1).public_key())).value().attachment),
      Errc::kVersion)
      << "another tree's path";
}

TEST(ListedMessages, EveryChangedByteOfAnAttachmentIsRefused) {
  const Bytes whole = sign_message(kHere, open_of(9), key_of(999));
  for (const Bytes& message : {whole, MinerForms(whole).form_for(key_of(4).public_key())}) {
    wire::Envelope envelope = wire::reread_envelope(message).value();
    for (std::uint8_t& byte : envelope.attachment) {
      byte ^= 1;
      EXPECT_FALSE(read_body<RoundOpen>(envelope));
      byte ^= 1;
    }
    EXPECT_TRUE(read_body<RoundOpen>(envelope));
  }
}

TEST(ListedMessages, WhatHasNoListHasNoAttachment) {
  wire::Envelope envelope = wire::reread_envelope(sign_message(kHere, Commit{}, key_of(1))).value();
  envelope.attachment = {0};
  EXPECT_EQ(read_body<Commit>(envelope).error().code, Errc::kMalformed);
  const Bytes clean = sign_message(kHere, Commit{}, key_of(1));
  EXPECT_FALSE(proves_equivocation({clean, wire::encode_envelope(envelope)}))
      << "who hangs something at another's message proves nothing against it";
}

TEST(ListedMessages, AnUnorderedOrMisplacedRosterIsRefused) {
  RoundOpen open = open_of(9);
  std::swap(open.roster[1], open.roster[2]);
  const auto bytes = sign_message(kHere, open, key_of(999));
  EXPECT_EQ(open_at<RoundOpen>(bytes, kHere).error().code, Errc::kMalformed);
  open = open_of(9);
  open.roster[2] = open.roster[1];
  EXPECT_EQ(open_at<RoundOpen>(sign_message(kHere, open, key_of(999)), kHere).error().code,
            Errc::kMalformed);
}

class FormsToFollowersTest : public ::testing::Test {
 protected:
  FormsToFollowersTest() {
    params_.sequences = 20'000;
    params_.coordinator = coordinator_.public_key();
    head_ = std::make_unique<ChainHead>(params_, run_id_of(params_));
    RoundOpen open = open_of(9);
    open.state_id = head_->state_id();
    open.beacon = head_->beacon();
    whole_ = sign_message(head_->position(), open, coordinator_);
    form_ = MinerForms(whole_).form_for(key_of(1).public_key());
  }
  Follower follower(Role role) const { return {params_, run_id_of(params_), role}; }

  SigningKey coordinator_ = key_of(999);
  ProtocolParams params_;
  std::unique_ptr<ChainHead> head_;
  Bytes whole_, form_;
};

TEST_F(FormsToFollowersTest, AMinerTakesItsFormAValidatorDoesNot) {
  Follower miner = follower(Role::kMiner), validator = follower(Role::kValidator);
  EXPECT_TRUE(miner.take(form_));
  EXPECT_EQ(validator.take(form_).error().code, Errc::kNotFound);
  EXPECT_FALSE(validator.open());
  EXPECT_TRUE(validator.take(whole_));
}

TEST_F(FormsToFollowersTest, TwoFormsOfOneMessageAreNoFork) {
  Follower miner = follower(Role::kMiner);
  EXPECT_TRUE(miner.take(form_));
  EXPECT_TRUE(miner.take(whole_));
  EXPECT_FALSE(miner.fork());
}

}  // namespace
}  // namespace muster::protocol
