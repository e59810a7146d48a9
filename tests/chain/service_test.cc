#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/prng.h"
#include "chain/service/followed_ledger.h"
#include "chain/service/ledger_service.h"
#include "chain/service/remote_ledger.h"
#include "tests/chain/network_chain.h"
#include "tests/temporary_directory.h"
#include "wire/codec.h"
#include "wire/memory_transport.h"

namespace muster::chain {
namespace {

class LedgerServiceTest : public ::testing::Test {
 protected:
  muster::testing::TemporaryDirectory directory_;
  SigningKey ledger_key_{random_seed()}, miner_{random_seed()};
  runtime::Genesis genesis_ = muster::testing::network_genesis({miner_.public_key()});
  std::unique_ptr<LedgerService> open() {
    return LedgerService::open(genesis_, directory_ / "ledger.sqlite", ledger_key_).value();
  }
};

// A service on a thread of its own, with a client of the miner's key. A block closes with the first
// question after something came into it, and with every fifth one otherwise.
class ServedLedgerTest : public LedgerServiceTest {
 protected:
  ServedLedgerTest() {
    serving_ = std::thread([this] {
      while (!stop_) {
        auto incoming = server_->receive(20);
        if (!incoming || !*incoming) continue;
        if (starts_over_.exchange(false)) {
          service_.reset();
          for (const char* file : {"ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"})
            std::filesystem::remove(directory_ / file);
          service_ = open();
        }
        if (service_->ledger().pending_count() > 0 && losses_ > 0) {
          --losses_;
          service_.reset();  // as by kill -9: what was in no block is gone
          service_ = open();
          (void)service_->produce_block();
        } else if (service_->ledger().pending_count() > 0) {
          if (stalled_) continue;
          (void)service_->produce_block();
        } else if (++idle_questions_ % 5 == 0) {
          (void)service_->produce_block();  // time goes on
        }
        (void)server_->send((*incoming)->from,
                            service_->handle((*incoming)->from, (*incoming)->message));
      }
    });
  }
  ~ServedLedgerTest() override {
    stop_ = true;
    serving_.join();
  }
  [[nodiscard]] std::unique_ptr<FollowedLedger> follow() {
    auto remote = std::make_unique<RemoteLedger>(hub_.join(SigningKey(random_seed()).public_key()),
                                                 ledger_key_.public_key(), miner_, 1);
    return FollowedLedger::open(std::move(remote), genesis_, directory_ / "followed", [](auto&) {})
        .value();
  }
  std::unique_ptr<LedgerService> service_ = open();
  wire::MemoryHub hub_;
  std::unique_ptr<wire::Transport> server_ = hub_.join(ledger_key_.public_key());
  RemoteLedger client_{hub_.join(miner_.public_key()), ledger_key_.public_key(), miner_, 1};
  std::atomic<int> losses_{0};            // how often the ledger is killed with something accepted
  std::atomic<bool> stalled_{false};      // it accepts, and then neither answers nor makes blocks
  std::atomic<bool> starts_over_{false};  // with the next question it has lost all of its blocks
  int idle_questions_ = 0;
  std::atomic<bool> stop_{false};
  std::thread serving_;
};

TEST_F(ServedLedgerTest, RegistersOnceHoweverOftenItIsAsked) {
  EXPECT_EQ(client_.genesis_hash().value(), runtime::genesis_hash(genesis_));
  ASSERT_TRUE(client_.register_neuron());
  ASSERT_TRUE(client_.register_neuron());
  const auto neurons = client_.metagraph().value().neurons;
  ASSERT_EQ(neurons.size(), 2u) << "the owner's hotkey and the miner's";
  EXPECT_EQ(neurons[1].hotkey, miner_.public_key());
}

TEST_F(ServedLedgerTest, NamesTheOneReasonOfACallThatFails) {
  const auto registered = client_.submit(BurnedRegister{7, miner_.public_key()});
  ASSERT_FALSE(registered);
  EXPECT_EQ(registered.error().message, "ledger: SubnetNotExists");
}

TEST_F(ServedLedgerTest, SendsItsWholeState) {
  ASSERT_TRUE(client_.register_neuron());
  EXPECT_EQ(runtime::state_hash(client_.state().value()),
            runtime::state_hash(service_->ledger().state()));
}

// The key that works lies on the node's machine, the one that owns the money anywhere else.
TEST_F(ServedLedgerTest, AHotkeyWithoutAnyMoneyWorksForItsColdkey) {
  const SigningKey hotkey(random_seed());
  ASSERT_TRUE(client_.submit(BurnedRegister{1, hotkey.public_key()}));
  ASSERT_TRUE(client_.submit(AddStake{hotkey.public_key(), 1, 5 * runtime::kTao}));
  RemoteLedger node(hub_.join(hotkey.public_key()), ledger_key_.public_key(), hotkey, 1);
  ASSERT_TRUE(node.register_neuron());
  ASSERT_TRUE(node.set_commitment(Bytes(16, 1)));
  ASSERT_TRUE(node.commit_weights({{Uid{0}}, {65535}, Hash{}}));
  EXPECT_FALSE(node.add_stake(runtime::kTao)) << "it has nothing, and can take nothing";
  const auto neurons = client_.metagraph()->neurons;
  ASSERT_EQ(neurons.size(), 2u);
  EXPECT_EQ(neurons[1].hotkey, hotkey.public_key());
  EXPECT_GT(neurons[1].stake, 0u);
}

TEST_F(ServedLedgerTest, ShowsWhatAHotkeyCommits) {
  ASSERT_TRUE(client_.register_neuron());
  EXPECT_TRUE(client_.metagraph()->neurons[1].committed.empty());
  ASSERT_TRUE(client_.set_commitment(Bytes(128, 7)));
  EXPECT_EQ(client_.metagraph()->neurons[1].committed, Bytes(128, 7));
  ASSERT_TRUE(client_.set_commitment(bytes_of("another")));
  EXPECT_EQ(client_.metagraph()->neurons[1].committed,
            Bytes(bytes_of("another").begin(), bytes_of("another").end()));
  EXPECT_EQ(client_.set_commitment(Bytes(129, 7)).error().code, Errc::kTooLarge);
}

TEST_F(ServedLedgerTest, ShowsClosedBlocksOnly) { EXPECT_FALSE(client_.block(1)); }

TEST_F(ServedLedgerTest, CanBeFollowedBlockByBlockAcrossRestartsOfTheFollower) {
  ASSERT_TRUE(client_.register_neuron());
  auto followed = follow();
  const auto seen = followed->metagraph();
  ASSERT_TRUE(seen) << seen.error().message;
  ASSERT_EQ(seen->neurons.size(), 2u);
  EXPECT_EQ(seen->neurons[1].hotkey, miner_.public_key());
  ASSERT_TRUE(client_.add_stake(5 * runtime::kTao));
  followed = follow();
  EXPECT_GT(followed->follower().ledger().block_number(), 0u) << "from its file";
  EXPECT_GT(followed->metagraph()->neurons[1].stake, 0u);
}

TEST_F(ServedLedgerTest, ThatForgetsWhatItSignedIsFoundOutByWhoSawItBeforeARestart) {
  auto followed = follow();
  ASSERT_TRUE(followed->metagraph()) << "its blocks are in the file";
  ASSERT_TRUE(client_.register_neuron());
  ASSERT_TRUE(followed->metagraph());
  const auto seen = *followed->newest_head();
  followed = follow();
  EXPECT_LT(followed->follower().ledger().block_number(), seen.number)
      << "the blocks that it saw last are not";
  starts_over_ = true;
  const auto answer = followed->metagraph();
  ASSERT_FALSE(answer);
  EXPECT_NE(answer.error().message.find("went back"), std::string::npos) << answer.error().message;
  EXPECT_NE(answer.error().message.find(describe(seen)), std::string::npos);
}

// ---- what is in a durable block

TEST_F(ServedLedgerTest, ReturnsWhenADurableBlockHoldsTheCall) {
  const auto receipt = client_.submit(BurnedRegister{1, miner_.public_key()});
  ASSERT_TRUE(receipt) << receipt.error().message;
  const auto block = runtime::decode_block(client_.block(receipt->block).value()).value();
  ASSERT_EQ(block.extrinsics.size(), 1u);
  EXPECT_EQ(extrinsic_hash(block.extrinsics[0]), receipt->hash);
}

TEST_F(ServedLedgerTest, SendsAgainWhatALedgerLostSoThatItCountsOnce) {
  losses_ = 1;
  const auto receipt =
      client_.submit(TransferKeepAlive{{ledger_key_.public_key()}, {runtime::kTao}});
  ASSERT_TRUE(receipt) << receipt.error().message;
  EXPECT_GT(receipt->block, 1u) << "block 1 was made without it";
  const auto block = runtime::decode_block(client_.block(receipt->block).value()).value();
  ASSERT_EQ(block.extrinsics.size(), 1u);
  EXPECT_EQ(extrinsic_hash(block.extrinsics[0]), receipt->hash);
  EXPECT_EQ(client_.account(ledger_key_.public_key()).value().balance_rao, runtime::kTao);
}

TEST_F(ServedLedgerTest, SaysThatTheLedgerLostIt) {
  losses_ = 100;
  const auto receipt =
      client_.submit(TransferKeepAlive{{ledger_key_.public_key()}, {runtime::kTao}});
  ASSERT_FALSE(receipt);
  EXPECT_EQ(receipt.error().code, Errc::kConflict);
  EXPECT_NE(receipt.error().message.find("the ledger lost it: block 1 does not hold the call"),
            std::string::npos)
      << receipt.error().message;
  EXPECT_NE(receipt.error().message.find("submit again"), std::string::npos);
}

TEST_F(ServedLedgerTest, SaysThatAnotherCallTookTheNonceOfALostOne) {
  losses_ = 1;
  const auto lost = client_.send(TransferKeepAlive{{ledger_key_.public_key()}, {runtime::kTao}});
  ASSERT_TRUE(lost);
  RemoteLedger other(hub_.join(SigningKey(Seed{3, 3}).public_key()), ledger_key_.public_key(),
                     miner_, 1);
  ASSERT_TRUE(other.submit(TransferKeepAlive{{ledger_key_.public_key()}, {5 * runtime::kTao}}));
  const auto receipt = client_.confirm(*lost);
  ASSERT_FALSE(receipt);
  EXPECT_NE(receipt.error().message.find("its nonce was used"), std::string::npos)
      << receipt.error().message;
  EXPECT_EQ(client_.account(ledger_key_.public_key()).value().balance_rao, 5 * runtime::kTao);
}

TEST_F(ServedLedgerTest, AStopEndsTheWait) {
  std::atomic<bool> stop{false};
  RemoteLedger client(hub_.join(SigningKey(Seed{3, 3}).public_key()), ledger_key_.public_key(),
                      miner_, 1, 600'000, &stop);
  stalled_ = true;
  std::thread stopper;
  const auto sent = client.send(TransferKeepAlive{{ledger_key_.public_key()}, {runtime::kTao}});
  ASSERT_TRUE(sent);
  stopper = std::thread([&] { stop = true; });
  EXPECT_EQ(client.confirm(*sent).error().code, Errc::kCancelled);
  stopper.join();
}

// ---- limits of a block

// What a service answers to one question of `from`.
Answer ask(LedgerService& service, const PublicKey& from, const Request& request) {
  return wire::decode<Answer>(service.handle(from, wire::encode(request)), "answer").value();
}

// A call of 65 kB that is paid for and fails: 1,600 children.
Bytes large_call(const LedgerService& service, const SigningKey& key) {
  SetChildren call{key.public_key(), 1, {}};
  for (std::uint16_t i = 0; i < 1'600; ++i) {
    AccountId child;
    child.bytes[0] = static_cast<std::uint8_t>(i);
    child.bytes[1] = static_cast<std::uint8_t>(i >> 8);
    call.children.emplace_back(1, child);
  }
  return muster::testing::signed_call(service.ledger(), key, std::move(call));
}

TEST_F(LedgerServiceTest, HandsOutEveryBlockThatItMakes) {
  std::vector<SigningKey> keys;
  std::vector<PublicKey> accounts;
  for (std::uint8_t i = 0; i < 36; ++i) {
    keys.emplace_back(Seed{i, 77});
    accounts.push_back(keys.back().public_key());
  }
  genesis_ = muster::testing::network_genesis(accounts);
  genesis_.block_ms = 12'000;
  auto service = open();
  int taken = 0, refused = 0;
  for (const SigningKey& key : keys) {
    const auto answer =
        ask(*service, key.public_key(),
            {.question = Question::kSubmit, .extrinsic = large_call(*service, key)});
    EXPECT_LE(service->handle(key.public_key(), {}).size(), limits::kMessageBytesMax);
    answer.error.empty() ? ++taken : ++refused;
    if (!answer.error.empty()) {
      EXPECT_EQ(answer.error,
                "refused: this block has no bytes left; submit again in the next one");
      EXPECT_TRUE(answer.later);
    }
  }
  EXPECT_GE(taken, 8);
  EXPECT_GE(refused, 8) << "36 of 65 kB are more than a message";
  ASSERT_TRUE(service->produce_block());
  const Bytes reply = service->handle(
      miner_.public_key(), wire::encode(Request{.question = Question::kBlock, .number = 1}));
  EXPECT_LE(reply.size(), limits::kMessageBytesMax);
  const auto page =
      wire::decode<Page>(wire::decode<Answer>(reply, "answer").value().body, "page").value();
  EXPECT_EQ(page.part.size(), page.bytes) << "one page";
}

// Blocks from before there was a limit.
TEST_F(LedgerServiceTest, ReplaysAndHandsOutABlockThatIsLargerThanAMessage) {
  std::vector<SigningKey> keys;
  std::vector<PublicKey> accounts{miner_.public_key()};
  for (std::uint8_t i = 0; i < 40; ++i) {
    keys.emplace_back(Seed{i, 78});
    accounts.push_back(keys.back().public_key());
  }
  genesis_ = muster::testing::network_genesis(accounts);
  genesis_.block_ms = 12'000;
  Bytes large;
  {
    auto maker = open();
    runtime::Ledger ledger(genesis_);
    for (const SigningKey& key : keys)
      ASSERT_TRUE(ledger.submit(large_call(*maker, key)).applied());
    const runtime::Block block = ledger.produce_block(true);
    large = runtime::encode_block(block);
    ASSERT_GT(large.size(), limits::kMessageBytesMax);
    maker.reset();
    ASSERT_TRUE(BlockStore::open(directory_ / "ledger.sqlite").value()->append(block));
  }
  auto service = open();
  EXPECT_EQ(service->ledger().block_number(), 1u);
  Bytes bytes;
  while (bytes.size() < large.size()) {
    const Bytes reply = service->handle(
        miner_.public_key(),
        wire::encode(Request{.question = Question::kBlock, .number = 1, .first = bytes.size()}));
    ASSERT_LE(reply.size(), limits::kMessageBytesMax);
    const auto page =
        wire::decode<Page>(wire::decode<Answer>(reply, "answer").value().body, "page").value();
    ASSERT_FALSE(page.part.empty());
    bytes.insert(bytes.end(), page.part.begin(), page.part.end());
  }
  EXPECT_EQ(bytes, large);
}

TEST_F(LedgerServiceTest, ChecksSoManyFreeCallsOfAHotkeyPerBlockAndNoMore) {
  auto service = open();
  ASSERT_TRUE(ask(*service, miner_.public_key(),
                  {.question = Question::kSubmit,
                   .extrinsic = muster::testing::signed_call(
                       service->ledger(), miner_, BurnedRegister{1, miner_.public_key()})})
                  .error.empty());
  const auto set_weights = [&] {
    return ask(*service, miner_.public_key(),
               {.question = Question::kSubmit,
                .extrinsic = muster::testing::signed_call(service->ledger(), miner_,
                                                          SetWeights{1, {0}, {1}, 0})});
  };
  for (int i = 0; i < 8; ++i)
    EXPECT_EQ(set_weights().error, "refused: too little stake to set weights (custom error 1)");
  EXPECT_EQ(set_weights().error,
            "refused: this signer has made as many free calls as one block allows; submit again in "
            "the next one");
  ASSERT_TRUE(service->produce_block());
  EXPECT_EQ(set_weights().error, "refused: too little stake to set weights (custom error 1)");
}

TEST_F(LedgerServiceTest, ForgeriesUseUpTheBudgetOfWhoSendsThem) {
  genesis_.block_ms = 400;
  auto service = open();
  const SigningKey stranger(Seed{5, 5});
  auto forged = decode_extrinsic(muster::testing::signed_call(
                                     service->ledger(), miner_,
                                     SetCommitment{1, {CommitmentData::raw(bytes_of("text"))}}))
                    .value();
  forged.signature.bytes[7] ^= 1;
  const Bytes bytes = encode_extrinsic(forged);
  int checked = 0;
  for (int i = 0; i < 1'000; ++i)
    checked +=
        ask(*service, stranger.public_key(), {.question = Question::kSubmit, .extrinsic = bytes})
                .later
            ? 0
            : 1;
  EXPECT_GT(checked, 10);
  EXPECT_LT(checked, 200) << "of a thousand forged signatures";
  EXPECT_EQ(ask(*service, SigningKey(Seed{6, 6}).public_key(), {.question = Question::kInfo}).error,
            "refused: too many questions and signatures from here in this block; ask again in the "
            "next one")
      << "new keys share one budget";
  EXPECT_TRUE(ask(*service, miner_.public_key(),
                  {.question = Question::kSubmit,
                   .extrinsic = muster::testing::signed_call(
                       service->ledger(), miner_, BurnedRegister{1, miner_.public_key()})})
                  .error.empty())
      << "the one in whose name they were";
}

TEST_F(LedgerServiceTest, TheCoordinatorIsHeardThoughStrangersHaveUsedUpTheirBudget) {
  genesis_.block_ms = 400;
  const PublicKey coordinator = SigningKey(Seed{8, 8}).public_key();
  auto service =
      LedgerService::open(genesis_, directory_ / "ledger.sqlite", ledger_key_, coordinator).value();
  const Request request{.question = Question::kInfo};
  bool used_up = false;
  for (int i = 0; i < 10'000 && !used_up; ++i)
    used_up = ask(*service, SigningKey(Seed{5, 5}).public_key(), request).later;
  EXPECT_TRUE(ask(*service, SigningKey(Seed{6, 6}).public_key(), request).later);
  EXPECT_FALSE(ask(*service, coordinator, {.question = Question::kInfo}).later);
}

TEST_F(LedgerServiceTest, StatesTravelInPagesOfOneBlockWhateverIsSubmittedMeanwhile) {
  auto service = open();
  const auto first = ask(*service, miner_.public_key(), {.question = Question::kState});
  const auto page = wire::decode<Page>(first.body, "page").value();
  ASSERT_TRUE(ask(*service, miner_.public_key(),
                  {.question = Question::kSubmit,
                   .extrinsic = muster::testing::signed_call(
                       service->ledger(), miner_, BurnedRegister{1, miner_.public_key()})})
                  .error.empty());
  ASSERT_TRUE(service->produce_block());
  const Request rest{.question = Question::kState, .first = page.bytes, .version = page.version};
  EXPECT_TRUE(ask(*service, miner_.public_key(), rest).error.empty())
      << "one block later it is still there";
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(ask(*service, miner_.public_key(), {.question = Question::kState}).error.empty());
    ASSERT_TRUE(service->produce_block());
  }
  const auto late = ask(*service, miner_.public_key(), rest);
  EXPECT_EQ(late.error, "it changed in between; ask again from the first page");
  EXPECT_TRUE(late.later);
}

TEST_F(LedgerServiceTest, KeepsItsBlocksAcrossRestarts) {
  Hash head;
  {
    auto service = open();
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(service->produce_block());
    head = service->ledger().head();
  }
  auto service = open();
  EXPECT_EQ(service->ledger().block_number(), 3u);
  EXPECT_EQ(service->ledger().head(), head);
}

TEST_F(LedgerServiceTest, RefusesTheBlocksOfAnotherGenesis) {
  { ASSERT_TRUE(open()->produce_block()); }
  genesis_.subnets[0].parameters.tempo = 7;
  EXPECT_EQ(LedgerService::open(genesis_, directory_ / "ledger.sqlite", ledger_key_).error().code,
            Errc::kConflict);
}

TEST_F(LedgerServiceTest, AnswersGarbageWithAnErrorAndStaysAsItIs) {
  auto service = open();
  const Hash before = runtime::state_hash(service->ledger().state());
  Prng random(4);
  for (int trial = 0; trial < 2000; ++trial) {
    Bytes garbage(random.below(300));
    for (auto& byte : garbage) byte = static_cast<std::uint8_t>(random.next_u32());
    EXPECT_FALSE(service->handle(miner_.public_key(), garbage).empty());
  }
  EXPECT_EQ(runtime::state_hash(service->ledger().state()), before);
}

}  // namespace
}  // namespace muster::chain
