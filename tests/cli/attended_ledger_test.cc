#include "cli/ledger/attended_ledger.h"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <sstream>
#include <thread>

#include "chain/service/ledger_service.h"
#include "tests/chain/network_chain.h"
#include "tests/temporary_directory.h"
#include "wire/memory_transport.h"

namespace muster::cli {
namespace {

using chain::runtime::kTao;

// A full subnet of three uids without immunity: the coordinator's and two others. A block closes
// with the first question after something came into it.
class AttendedLedgerTest : public ::testing::Test {
 protected:
  AttendedLedgerTest() {
    auto& subnet = genesis_.subnets.front();
    subnet.parameters.uids_max = 3;
    subnet.parameters.immunity_period = 0;
    subnet.parameters.non_immune_uids_min = 0;
    subnet.burn_rao = kTao;
    service_ =
        chain::LedgerService::open(genesis_, directory_ / "ledger.sqlite", ledger_key_).value();
    serving_ = std::thread([this] {
      while (!stop_) {
        auto incoming = server_->receive(20);
        if (!incoming || !*incoming) continue;
        if (service_->ledger().pending_count() > 0) (void)service_->produce_block();
        (void)server_->send((*incoming)->from,
                            service_->handle((*incoming)->from, (*incoming)->message));
      }
    });
  }
  ~AttendedLedgerTest() override {
    stop_ = true;
    serving_.join();
  }
  std::unique_ptr<chain::RemoteLedger> client(const SigningKey& key) {
    return std::make_unique<chain::RemoteLedger>(hub_.join(key.public_key()),
                                                 ledger_key_.public_key(), key, 1);
  }
  void validate() {
    ASSERT_TRUE(client(validator_)->register_neuron());
    ASSERT_TRUE(client(validator_)->add_stake(5 * kTao));
  }
  // Registers others until the validator has no uid.
  void push_out() {
    for (std::size_t i = 0; i < others_.size() && has_uid(); ++i, ++next_)
      ASSERT_TRUE(client(others_[next_ % others_.size()])->register_neuron());
    ASSERT_FALSE(has_uid());
  }
  bool has_uid() {
    const auto graph = client(watcher_)->metagraph().value();
    return std::ranges::any_of(
        graph.neurons, [&](const auto& one) { return one.hotkey == validator_.public_key(); });
  }
  std::unique_ptr<AttendedLedger> attended(std::uint64_t budget_rao) {
    auto followed = chain::FollowedLedger::open(client(validator_), genesis_,
                                                directory_ / "followed", [](auto&) {});
    return std::make_unique<AttendedLedger>(
        std::move(followed).value(),
        Attendance{validator_.public_key(), Role::kValidator, budget_rao, directory_ / "spent",
                   Logger::open("validator-1", directory_ / "node.log", LogLevel::kInfo).value()});
  }
  std::string log() {
    std::ostringstream text;
    text << std::ifstream(directory_ / "node.log").rdbuf();
    return text.str();
  }

  muster::testing::TemporaryDirectory directory_;
  SigningKey ledger_key_{Seed{1}}, validator_{Seed{2}}, watcher_{Seed{3}};
  std::vector<SigningKey> others_{SigningKey(Seed{11}), SigningKey(Seed{12}), SigningKey(Seed{13}),
                                  SigningKey(Seed{14}), SigningKey(Seed{15}), SigningKey(Seed{16})};
  std::size_t next_ = 0;
  // No epoch pays the validator before it is pushed out: who earns keeps its uid.
  static constexpr std::uint16_t kTempo = 100;
  chain::runtime::Genesis genesis_ = muster::testing::network_genesis(
      {validator_.public_key(), others_[0].public_key(), others_[1].public_key(),
       others_[2].public_key(), others_[3].public_key(), others_[4].public_key(),
       others_[5].public_key()},
      kTempo);
  std::unique_ptr<chain::LedgerService> service_;
  wire::MemoryHub hub_;
  std::unique_ptr<wire::Transport> server_ = hub_.join(ledger_key_.public_key());
  std::atomic<bool> stop_{false};
  std::thread serving_;
};

TEST_F(AttendedLedgerTest, BuysALostUidBackWithinTheBudgetAndSaysSo) {
  validate();
  push_out();
  const auto graph = attended(20 * kTao)->metagraph();
  ASSERT_TRUE(graph) << graph.error().message;
  const auto own =
      std::ranges::find(graph->neurons, validator_.public_key(), &protocol::Neuron::hotkey);
  ASSERT_NE(own, graph->neurons.end());
  EXPECT_GT(own->stake, 0u) << "as it staked before";
  EXPECT_NE(log().find("has bought a new one for at most"), std::string::npos) << log();
}

TEST_F(AttendedLedgerTest, SpendsNoMoreThanTheBudgetOverAllItsStarts) {
  validate();
  push_out();
  EXPECT_TRUE(attended(kTao / 2)->metagraph());
  EXPECT_FALSE(has_uid());
  EXPECT_NE(log().find("of --register-budget 0.500000000 is spent 0.000000000"), std::string::npos)
      << log();
  ASSERT_TRUE(attended(3 * kTao)->metagraph());
  ASSERT_TRUE(has_uid());
  push_out();
  ASSERT_TRUE(attended(3 * kTao)->metagraph()) << "another start";
  EXPECT_FALSE(has_uid()) << "the price has risen, and part of the budget is spent";
}

TEST_F(AttendedLedgerTest, BuysNothingForWhoNeverHadStakeAndSaysWhatToDo) {
  ASSERT_TRUE(attended(20 * kTao)->metagraph());
  EXPECT_FALSE(has_uid());
  EXPECT_NE(log().find("is not registered on the ledger"), std::string::npos) << log();
  EXPECT_NE(log().find("`muster ledger register`"), std::string::npos);
}

TEST_F(AttendedLedgerTest, SaysWhatAValidatorLacksAndHowManyBlocksAreLeftUntilAPermit) {
  ASSERT_TRUE(client(validator_)->register_neuron());
  auto node = attended(0);
  ASSERT_TRUE(node->metagraph());
  EXPECT_NE(log().find("may not validate yet. It lacks stake: validating needs 1.000000000 alpha"),
            std::string::npos)
      << log();
  ASSERT_TRUE(client(validator_)->add_stake(5 * kTao));
  const auto graph = attended(0)->metagraph().value();
  const std::string left = "the next one ends at block " + std::to_string(graph.next_epoch_block) +
                           ", in " + std::to_string(graph.next_epoch_block - graph.block) +
                           " blocks";
  EXPECT_NE(
      log().find("It lacks permit: the end of an epoch gives it to the largest stakes; " + left),
      std::string::npos)
      << log();
}

TEST_F(AttendedLedgerTest, SaysNothingOfAValidatorWithAPermit) {
  validate();
  for (int block = 0; block < kTempo + 2; ++block) (void)service_->produce_block();
  const auto graph = attended(0)->metagraph().value();
  ASSERT_TRUE(
      std::ranges::find(graph.neurons, validator_.public_key(), &protocol::Neuron::hotkey)->permit);
  EXPECT_EQ(log().find("may not validate"), std::string::npos) << log();
}

}  // namespace
}  // namespace muster::cli
