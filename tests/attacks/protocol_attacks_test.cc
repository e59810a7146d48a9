// Attacks on the protocol in whole simulated networks: the round goes on, the attacker is named and
// unpaid.
#include "sim/attacks/protocol_attacks.h"

#include <gtest/gtest.h>

namespace muster::sim {
namespace {

class ProtocolAttackTest : public ::testing::TestWithParam<std::size_t> {};

TEST_P(ProtocolAttackTest, ComesToNothing) {
  const ProtocolAttack& attack = protocol_attacks()[GetParam()];
  const ProtocolFigures figures = try_protocol_attack(attack, {1, 2, 3});
  for (const std::string& missed : figures.missed()) ADD_FAILURE() << missed;
  EXPECT_TRUE(attack.disputed || figures.rounds >= 30) << figures.rounds;
  for (const auto& [code, rounds] : figures.outcomes)
    RecordProperty(std::string(name_of(code)), static_cast<int>(rounds));
  if (HasFailure())
    for (const auto& [code, rounds] : figures.outcomes)
      std::printf("  %s in %d rounds\n", std::string(name_of(code)).c_str(),
                  static_cast<int>(rounds));
}

INSTANTIATE_TEST_SUITE_P(All, ProtocolAttackTest,
                         ::testing::Range(std::size_t{0}, protocol_attacks().size()),
                         [](const auto& attack) {
                           std::string name(protocol_attacks()[attack.param].name);
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

// A share of the rounds in which the attacker acts is named: those that never are would pass unseen
// above.
TEST(ProtocolAttacks, WhoKeepsItsKeyIsNamedInEverySuchRound) {
  const ProtocolFigures figures = try_protocol_attack(protocol_attacks().front(), {4});
  EXPECT_EQ(figures.named(), 5u);
}

}  // namespace
}  // namespace muster::sim
