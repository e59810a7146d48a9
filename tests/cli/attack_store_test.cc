#include "cli/attack_store.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/temporary_directory.h"

namespace muster::cli {
namespace {

const Hash kRules = tagged_hash("muster/test", bytes_of("rules"));
const Hash kData = tagged_hash("muster/test", bytes_of("data"));

sim::Career career(std::string_view attack, std::uint64_t seed = 1) {
  sim::Career found;
  found.attack = sim::find_attack(attack);
  found.seed = seed;
  found.work = 0.5;
  found.pay = {0, 0.25, 0.3333};
  found.weights = {7, 65535};
  found.beside = {300, 2};
  found.unpaid_early = 3;
  return found;
}

class AttackStoreTest : public ::testing::Test {
 protected:
  AttackStore open(const Hash& rules = kRules, const Hash& data = kData) {
    return AttackStore::open(folder_.path(), "main", rules, data).value();
  }
  testing::TemporaryDirectory folder_;
};

TEST_F(AttackStoreTest, ReadsWhatWasAdded) {
  auto honest = career("honest"), harm = career("noise", 2);
  honest.miner = 4;
  harm.percent = 30;
  harm.held_out = {{10, 2.5}};
  harm.honest_pay = {1, 0.9};
  ASSERT_TRUE(open().add(1, {honest, career("lazy-50")}));
  ASSERT_TRUE(open().add(2, {harm}));
  const auto content = open().read().value();
  EXPECT_EQ(content.careers, (std::vector{honest, career("lazy-50"), harm}));
  EXPECT_EQ(content.left_out, std::vector<std::string>{});
}

TEST_F(AttackStoreTest, KeepsTheFirstOfTwoResultsOfTheSame) {
  auto second = career("noise");
  second.work = 0.1;
  ASSERT_TRUE(open().add(1, {career("noise")}));
  ASSERT_TRUE(open().add(1, {second}));
  EXPECT_EQ(open().read().value().careers, std::vector{career("noise")});
}

TEST_F(AttackStoreTest, LeavesOutResultsOfOtherRulesAndOtherDataAndNamesThem) {
  const Hash other = tagged_hash("muster/test", bytes_of("other"));
  ASSERT_TRUE(open(other).add(1, {career("noise"), career("replay")}));
  ASSERT_TRUE(open(kRules, other).add(1, {career("noise")}));
  ASSERT_TRUE(open().add(1, {career("lazy-50")}));
  const auto content = open().read().value();
  EXPECT_EQ(content.careers, std::vector{career("lazy-50")});
  ASSERT_EQ(content.left_out.size(), 2u);
  EXPECT_NE(content.left_out[0].find("seed-1.jsonl: left out 1 results of other data"),
            std::string::npos);
  EXPECT_NE(
      content.left_out[1].find("seed-1.jsonl: left out 2 results of other rules (" + other.brief()),
      std::string::npos);
}

TEST_F(AttackStoreTest, LeavesOutLinesThatAreDamaged) {
  ASSERT_TRUE(open().add(1, {career("noise")}));
  const auto path = folder_.path() / "main" / "seed-1.jsonl";
  const Bytes whole = read_file(path, 1 << 20).value();
  std::string text(whole.begin(), whole.end());
  text += "{\"rules\":\"" + kRules.brief() + "\",\"data\":\"" + kData.brief() +
          "\",\"attack\":\"noise\",\"work\":\"much\"}\n{\"ru";
  ASSERT_TRUE(replace_file(path, bytes_of(text)));
  const auto content = open().read().value();
  EXPECT_EQ(content.careers, std::vector{career("noise")});
  EXPECT_EQ(content.left_out.size(), 2u);
}

TEST_F(AttackStoreTest, ReadsResultsOfAnyOneDataSetWhereNoneIsNamed) {
  const Hash other = tagged_hash("muster/test", bytes_of("other"));
  ASSERT_TRUE(open().add(1, {career("noise")}));
  EXPECT_EQ(open(kRules, Hash{}).read().value().careers.size(), 1u);
  ASSERT_TRUE(open(kRules, other).add(2, {career("noise", 2)}));
  const auto refused = open(kRules, Hash{}).read();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("seed-2.jsonl has results of another data set"),
            std::string::npos);
}

TEST_F(AttackStoreTest, GivesALabToOneProcessAtATime) {
  const auto store = open();
  {
    const auto claimed = store.claim("seed-1");
    ASSERT_TRUE(claimed);
    EXPECT_EQ(store.claim("seed-1").error().code, Errc::kAlreadyExists);
    EXPECT_TRUE(store.claim("seed-2"));
  }
  EXPECT_TRUE(store.claim("seed-1"));
}

}  // namespace
}  // namespace muster::cli
