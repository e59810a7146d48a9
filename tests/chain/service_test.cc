#include "chain/service/ledger_service.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/prng.h"
#include "chain/service/remote_ledger.h"
#include "tests/chain/network_chain.h"
#include "tests/temporary_directory.h"
#include "wire/memory_transport.h"

namespace muster::chain {
namespace {

class LedgerServiceTest : public ::testing::Test {
 protected:
  muster::testing::TemporaryDirectory directory_;
  SigningKey ledger_key_{random_seed()}, miner_{random_seed()};
  runtime::Genesis genesis_ = muster::testing::network_genesis({miner_.public_key()});
  std::unique_ptr<LedgerService> open() {
    return LedgerService::open(genesis_, directory_ / "ledger.sqlite").value();
  }
};

// A service on a thread of its own, with a client of the miner's key.
class ServedLedgerTest : public LedgerServiceTest {
 protected:
  ServedLedgerTest() {
    serving_ = std::thread([this] {
      while (!stop_) {
        auto incoming = server_->receive(20);
        if (incoming && *incoming) (void)server_->send((*incoming)->from, service_->handle((*incoming)->message));
      }
    });
  }
  ~ServedLedgerTest() override {
    stop_ = true;
    serving_.join();
  }
  std::unique_ptr<LedgerService> service_ = open();
  wire::MemoryHub hub_;
  std::unique_ptr<wire::Transport> server_ = hub_.join(ledger_key_.public_key());
  RemoteLedger client_{hub_.join(miner_.public_key()), ledger_key_.public_key(), miner_, 1};
  std::atomic<bool> stop_{false};
  std::thread serving_;
};

TEST_F(ServedLedgerTest, RegistersOnceHoweverOftenItIsAsked) {
  EXPECT_EQ(client_.genesis_hash().value(), runtime::genesis_hash(genesis_));
  ASSERT_TRUE(client_.register_neuron(Role::kMiner));
  ASSERT_TRUE(client_.register_neuron(Role::kMiner));
  const auto neurons = client_.metagraph().value().neurons;
  ASSERT_EQ(neurons.size(), 2u) << "the owner's hotkey and the miner's";
  EXPECT_EQ(neurons[0].role, Role::kCoordinator);
  EXPECT_EQ(neurons[1].hotkey, miner_.public_key());
  EXPECT_EQ(neurons[1].role, Role::kMiner);
}

TEST_F(ServedLedgerTest, TakesWhoDeclaresItForAValidator) {
  ASSERT_TRUE(client_.register_neuron(Role::kValidator));
  ASSERT_TRUE(client_.add_stake(100 * runtime::kTao));
  const auto neuron = client_.metagraph().value().neurons.at(1);
  EXPECT_EQ(neuron.role, Role::kValidator);
  EXPECT_GT(neuron.stake, 99 * runtime::kTao);
}

TEST_F(ServedLedgerTest, NamesTheOneReasonOfACallThatFails) {
  const auto registered = client_.submit(BurnedRegister{7, miner_.public_key()});
  ASSERT_FALSE(registered);
  EXPECT_EQ(registered.error().message, "ledger: SubnetNotExists");
}

TEST_F(ServedLedgerTest, SendsItsWholeState) {
  ASSERT_TRUE(client_.register_neuron(Role::kMiner));
  EXPECT_EQ(runtime::state_hash(client_.state().value()), runtime::state_hash(service_->ledger().state()));
}

TEST_F(ServedLedgerTest, ShowsClosedBlocksOnly) {
  EXPECT_FALSE(client_.block(1));
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
  EXPECT_EQ(LedgerService::open(genesis_, directory_ / "ledger.sqlite").error().code, Errc::kConflict);
}

TEST_F(LedgerServiceTest, AnswersGarbageWithAnErrorAndStaysAsItIs) {
  auto service = open();
  const Hash before = runtime::state_hash(service->ledger().state());
  Prng random(4);
  for (int trial = 0; trial < 2000; ++trial) {
    Bytes garbage(random.below(300));
    for (auto& byte : garbage) byte = static_cast<std::uint8_t>(random.next_u32());
    EXPECT_FALSE(service->handle(garbage).empty());
  }
  EXPECT_EQ(runtime::state_hash(service->ledger().state()), before);
}

}  // namespace
}  // namespace muster::chain
