#include "state/state_root.h"

#include <gtest/gtest.h>

#include <vector>

namespace muster::state {
namespace {

TEST(ParametersRoot, ChangesWithOneBitOfOneParameter) {
  const auto layout = compression::Layout::make({{"a", {1000}}}).value();
  std::vector<float> theta(1000, 0.25f);
  const Hash root = parameters_root(layout, theta);
  reinterpret_cast<std::uint8_t*>(theta.data())[2001] ^= 1;
  EXPECT_NE(parameters_root(layout, theta), root);
}

TEST(StateId, DependsOnTheWholeHistory) {
  const Hash a = sha256(bytes_of("a")), b = sha256(bytes_of("b")), start;
  EXPECT_NE(next_state_id(next_state_id(start, a), b), next_state_id(next_state_id(start, b), a));
}

TEST(StateRoot, BindsBothHalvesInOrder) {
  const Hash a = sha256(bytes_of("a")), b = sha256(bytes_of("b"));
  EXPECT_NE(state_root(a, b), state_root(b, a));
}

}  // namespace
}  // namespace muster::state
