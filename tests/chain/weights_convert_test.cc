#include "chain/codec/weights_convert.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "chain/codec/drand.h"

namespace muster::chain {
namespace {

const std::vector<std::uint16_t> kUids{0, 1, 2};

TEST(WeightsToU16, TheLargestBecomesTheMaximumAndZerosAreLeftOut) {
  const auto row = weights_to_u16(kUids, std::vector<double>{2, 0, 1});
  ASSERT_TRUE(row);
  EXPECT_EQ(row->uids, (std::vector<std::uint16_t>{0, 2}));
  EXPECT_EQ(row->weights, (std::vector<std::uint16_t>{65535, 32768}));
}

TEST(WeightsToU16, ATieGoesToTheEvenNumber) {
  const auto row = weights_to_u16(kUids, std::vector<double>{65535, 2.5, 3.5});
  ASSERT_TRUE(row);
  EXPECT_EQ(row->weights, (std::vector<std::uint16_t>{65535, 2, 4}));
}

TEST(WeightsToU16, NegativeInfiniteAndUnpairedWeightsAreRefused) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(weights_to_u16(kUids, std::vector<double>{1, -1, 0}).error().code,
            Errc::kInvalidArgument);
  EXPECT_EQ(weights_to_u16(kUids, std::vector<double>{1, infinity, 0}).error().code,
            Errc::kNonFinite);
  EXPECT_EQ(weights_to_u16(kUids, std::vector<double>{1, std::nan(""), 0}).error().code,
            Errc::kNonFinite);
  EXPECT_EQ(weights_to_u16(kUids, std::vector<double>{1}).error().code, Errc::kInvalidArgument);
}

TEST(WeightsFromU16, AUidOutsideTheSubnetIsRefused) {
  EXPECT_FALSE(weights_from_u16(2, kUids, std::vector<std::uint16_t>{1, 1, 1}));
}

TEST(SplitToU16, SumsToTheWholeWhateverTheProportions) {
  for (const auto& proportions :
       {std::vector<std::uint64_t>{1, 2, 4}, {0, 7, 0}, {~0ull, ~0ull, 1}, {3}}) {
    const auto parts = split_to_u16(proportions);
    EXPECT_EQ(std::accumulate(parts.begin(), parts.end(), 0u), 65535u);
  }
  EXPECT_EQ(split_to_u16(std::vector<std::uint64_t>{0, 0}), (std::vector<std::uint16_t>{0, 0}));
}

TEST(Drand, ARoundIsPublicFromItsTimeOn) {
  for (const std::uint64_t round : {1u, 2u, 1000u}) {
    EXPECT_EQ(drand_round_at(drand_time_of(round)), round);
    EXPECT_EQ(drand_round_at(drand_time_of(round) + 2), round);
  }
  EXPECT_FALSE(drand_round_at(kDrandGenesisSeconds - 1));
}

}  // namespace
}  // namespace muster::chain
