// A node that makes the ledger again from its blocks finds out whatever a ledger's daemon may make
// up.
#include "chain/service/block_follower.h"

#include <gtest/gtest.h>

#include "chain/service/network_view.h"
#include "tests/chain/network_chain.h"

namespace muster::chain {
namespace {

using muster::testing::submit;
using protocol::LedgerHead;

class BlockFollowerTest : public ::testing::Test {
 protected:
  SigningKey ledger_key_{Seed{1}}, miner_{Seed{2}}, other_{Seed{3}};
  runtime::Genesis genesis_ =
      muster::testing::network_genesis({miner_.public_key(), other_.public_key()});
  runtime::Ledger ledger_{genesis_};
  BlockFollower follower_{genesis_, ledger_key_.public_key()};

  [[nodiscard]] LedgerHead head_of(const runtime::Ledger& ledger) const {
    return protocol::sign_head(ledger_key_, ledger.genesis_id(), ledger.block_number(),
                               ledger.head());
  }
  Status follow(runtime::Ledger& ledger, BlockFollower& follower) {
    const Bytes block = runtime::encode_block(ledger.produce_block(true));
    MUSTER_TRY_STATUS(follower.take_head(head_of(ledger)));
    return follower.take_block(block);
  }
  Status follow() { return follow(ledger_, follower_); }
  void follow_some(int blocks) {
    for (int i = 0; i < blocks; ++i) ASSERT_TRUE(follow());
  }
};

TEST_F(BlockFollowerTest, SeesWhatTheLedgerSees) {
  ASSERT_TRUE(submit(ledger_, miner_, BurnedRegister{1, miner_.public_key()}));
  follow_some(3);
  EXPECT_TRUE(follower_.is_current());
  const auto own = network_view(follower_.ledger(), 1).value(),
             theirs = network_view(ledger_, 1).value();
  EXPECT_EQ(own.block_hash, theirs.block_hash);
  ASSERT_EQ(own.neurons.size(), 2u);
  EXPECT_EQ(own.neurons[1].hotkey, miner_.public_key());
  EXPECT_EQ(own.neurons[1].stake, theirs.neurons[1].stake);
}

TEST_F(BlockFollowerTest, BelievesNoHeadOfAnotherKeyOrGenesis) {
  ledger_.produce_block(true);
  const auto head = head_of(ledger_);
  EXPECT_EQ(follower_.take_head(protocol::sign_head(miner_, head.genesis, head.number, head.block))
                .error()
                .code,
            Errc::kBadSignature);
  EXPECT_EQ(follower_.take_head(protocol::sign_head(ledger_key_, Hash{}, head.number, head.block))
                .error()
                .code,
            Errc::kWrongRun);
}

TEST_F(BlockFollowerTest, NamesARollbackWithBothHeads) {
  follow_some(2);
  const auto earlier = head_of(ledger_);
  follow_some(2);
  const auto later = head_of(ledger_);
  const Status back = follower_.take_head(earlier);
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().code, Errc::kConflict);
  EXPECT_NE(back.error().message.find("went back"), std::string::npos);
  EXPECT_NE(back.error().message.find(describe(earlier)), std::string::npos);
  EXPECT_NE(back.error().message.find(describe(later)), std::string::npos);
}

TEST_F(BlockFollowerTest, NamesTwoBlocksOfOneNumber) {
  follow_some(2);
  auto twin = head_of(ledger_);
  twin = protocol::sign_head(ledger_key_, twin.genesis, twin.number,
                             tagged_hash("muster/test-block", ByteSpan{}));
  EXPECT_EQ(follower_.take_head(twin).error().code, Errc::kConflict);
  EXPECT_TRUE(follower_.is_current()) << "and goes on from its own";
}

TEST_F(BlockFollowerTest, NamesAHistoryThatDoesNotFollowFromItsOwn) {
  follow_some(2);
  const auto before = head_of(ledger_);
  runtime::Ledger other(genesis_);
  ASSERT_TRUE(submit(other, other_, BurnedRegister{1, other_.public_key()}));
  for (int i = 0; i < 2; ++i) other.produce_block(true);
  const Status forked = follow(other, follower_);
  ASSERT_FALSE(forked);
  EXPECT_EQ(forked.error().code, Errc::kConflict);
  EXPECT_NE(forked.error().message.find(describe(before)), std::string::npos)
      << forked.error().message;
  EXPECT_NE(forked.error().message.find(describe(head_of(other))), std::string::npos);
}

TEST_F(BlockFollowerTest, NamesAStateThatDoesNotFollowFromTheBlocks) {
  follow_some(1);
  runtime::Block block = ledger_.produce_block(true);
  block.state = Hash{};
  ASSERT_TRUE(follower_.take_head(protocol::sign_head(ledger_key_, ledger_.genesis_id(),
                                                      block.number, runtime::block_hash(block))));
  const Status applied = follower_.take_block(runtime::encode_block(block));
  ASSERT_FALSE(applied);
  EXPECT_NE(applied.error().message.find("gives another state"), std::string::npos);
}

TEST_F(BlockFollowerTest, NamesABlockThatIsNotTheOneThatWasSigned) {
  follow_some(1);
  const Bytes block = runtime::encode_block(ledger_.produce_block(true));
  ASSERT_TRUE(
      follower_.take_head(protocol::sign_head(ledger_key_, ledger_.genesis_id(), 2, Hash{})));
  EXPECT_NE(follower_.take_block(block).error().message.find("than it signed"), std::string::npos);
}

TEST_F(BlockFollowerTest, GoesOnFromWhatItSavedAndStillFindsARollback) {
  follow_some(2);
  const auto earlier = head_of(ledger_);
  follow_some(3);
  BlockFollower restarted(genesis_, ledger_key_.public_key());
  ASSERT_TRUE(restarted.restore(follower_.save()));
  EXPECT_EQ(restarted.take_head(earlier).error().code, Errc::kConflict);
  ASSERT_TRUE(follow(ledger_, restarted));
  EXPECT_EQ(restarted.ledger().head(), ledger_.head());
}

TEST_F(BlockFollowerTest, HoldsTheBlocksToAHeadThatItTookBeforeThem) {
  runtime::Ledger other(genesis_);
  ASSERT_TRUE(submit(other, other_, BurnedRegister{1, other_.public_key()}));
  other.produce_block(true);
  const auto signed_once = head_of(other);
  ASSERT_TRUE(follower_.take_head(signed_once));
  const Bytes first = runtime::encode_block(ledger_.produce_block(true));
  ledger_.produce_block(true);
  ASSERT_TRUE(follower_.take_head(head_of(ledger_)));
  const Status applied = follower_.take_block(first);
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, Errc::kConflict);
  EXPECT_NE(applied.error().message.find(describe(signed_once)), std::string::npos)
      << applied.error().message;
}

TEST_F(BlockFollowerTest, TellsWhichBlockTheLedgerSigned) {
  follow_some(2);
  EXPECT_EQ(follower_.members_at(1, std::nullopt)->signature, head_of(ledger_).signature);
  EXPECT_EQ(follower_.members_at(1, 1)->signature, std::nullopt) << "it has only the newest head";
}

TEST_F(BlockFollowerTest, ComparesHeadsThatOtherNodesSaw) {
  follow_some(2);
  const auto seen = head_of(ledger_);
  follow_some(1);
  EXPECT_TRUE(follower_.compare(seen));
  EXPECT_FALSE(
      follower_.compare(protocol::sign_head(ledger_key_, seen.genesis, seen.number, Hash{})));
  EXPECT_TRUE(follower_.compare(protocol::sign_head(ledger_key_, seen.genesis, 77, Hash{})))
      << "newer than its own";
}

TEST_F(BlockFollowerTest, TellsHowAClosedBlockLeftTheMembers) {
  ASSERT_TRUE(submit(ledger_, miner_, BurnedRegister{1, miner_.public_key()}));
  follow_some(1);
  const auto before = follower_.members_at(1, std::nullopt).value();
  ASSERT_EQ(before.members.size(), 2u);
  EXPECT_EQ(before.members[1].stake, 0u);
  ASSERT_TRUE(submit(ledger_, miner_, AddStake{miner_.public_key(), 1, 100 * runtime::kTao}));
  follow_some(2);
  const auto after = follower_.members_at(1, std::nullopt).value();
  EXPECT_EQ(after.block, before.block + 2);
  EXPECT_GT(after.members[1].stake, 99 * runtime::kTao);
  const auto again = follower_.members_at(1, before.block).value();
  EXPECT_EQ(again.block_hash, before.block_hash);
  EXPECT_EQ(again.members, before.members);
}

TEST_F(BlockFollowerTest, TellsWhoMayValidateFromTheEpochsOn) {
  ASSERT_TRUE(submit(ledger_, miner_, BurnedRegister{1, miner_.public_key()}));
  ASSERT_TRUE(submit(ledger_, miner_, AddStake{miner_.public_key(), 1, 100 * runtime::kTao}));
  follow_some(1);
  const auto may_validate = [&] {
    return follower_.members_at(1, std::nullopt)->members.at(1).may_validate;
  };
  EXPECT_FALSE(may_validate()) << "stake alone is no permit";
  follow_some(4);
  EXPECT_TRUE(may_validate()) << "an epoch has ended";
  const std::uint64_t stake = follower_.members_at(1, std::nullopt)->members.at(1).stake;
  ASSERT_TRUE(
      submit(ledger_, miner_, RemoveStake{miner_.public_key(), 1, stake - runtime::kTao / 2}));
  follow_some(1);
  EXPECT_FALSE(may_validate())
      << "under the threshold, whatever the permit says until the next epoch";
}

TEST_F(BlockFollowerTest, SaysWhichBlocksMembersItHas) {
  follow_some(2);
  EXPECT_NE(follower_.members_at(1, 77).error().message.find("none of blocks 0 to 2"),
            std::string::npos);
  EXPECT_NE(follower_.members_at(9, 2).error().message.find("no subnet 9"), std::string::npos);
}

TEST_F(BlockFollowerTest, RefusesGarbage) {
  ledger_.produce_block(true);
  ASSERT_TRUE(follower_.take_head(head_of(ledger_)));
  EXPECT_FALSE(follower_.take_block(bytes_of("no block")));
  EXPECT_FALSE(follower_.restore({}));
}

}  // namespace
}  // namespace muster::chain
