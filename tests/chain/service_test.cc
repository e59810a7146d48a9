#include "chain/service.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/prng.h"
#include "tests/temporary_directory.h"
#include "wire/memory_transport.h"

namespace muster::chain {
namespace {

class LedgerServiceTest : public ::testing::Test {
 protected:
  muster::testing::TemporaryDirectory directory_;
  SigningKey ledger_key_{random_seed()}, miner_{random_seed()};
  Genesis genesis_ = [this] {
    Genesis genesis;
    genesis.balances = {{miner_.public_key(), 5'000'000'000}};
    return genesis;
  }();
  std::unique_ptr<LedgerService> open() {
    return LedgerService::open(genesis_, directory_ / "ledger.sqlite").value();
  }
};

TEST_F(LedgerServiceTest, ServesAClientOverATransport) {
  auto service = open();
  wire::MemoryHub hub;
  auto server = hub.join(ledger_key_.public_key());
  RemoteLedger client(hub.join(miner_.public_key()), ledger_key_.public_key(), miner_);
  std::atomic<bool> stop{false};
  std::thread serving([&] {
    while (!stop) {
      auto incoming = server->receive(20);
      if (incoming && *incoming)
        (void)server->send((*incoming)->from, service->handle((*incoming)->message));
    }
  });
  EXPECT_EQ(client.genesis_hash().value(), genesis_hash(genesis_));
  EXPECT_TRUE(client.register_neuron(Role::kMiner));
  const Status again = client.register_neuron(Role::kMiner);
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().message.find("already registered"), std::string::npos);
  EXPECT_EQ(client.metagraph().value().neurons.size(), 1u);
  EXPECT_EQ(client.balance().value(), 4'000'000'000u);
  stop = true;
  serving.join();
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
  genesis_.tempo = 7;
  EXPECT_EQ(LedgerService::open(genesis_, directory_ / "ledger.sqlite").error().code,
            Errc::kConflict);
}

TEST_F(LedgerServiceTest, AnswersGarbageWithAnError) {
  auto service = open();
  Prng random(4);
  for (int trial = 0; trial < 2000; ++trial) {
    Bytes garbage(random.below(300));
    for (auto& byte : garbage) byte = static_cast<std::uint8_t>(random.next_u32());
    EXPECT_FALSE(service->handle(garbage).empty());
  }
  EXPECT_EQ(service->ledger().metagraph().neurons.size(), 0u);
}

}  // namespace
}  // namespace muster::chain
