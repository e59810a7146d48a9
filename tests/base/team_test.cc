#include "base/team.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>
#include <thread>

namespace muster {
namespace {

TEST(Team, DoesEveryPartOnceOnAThreadOfItsOwn) {
  for (const unsigned threads : {1u, 2u, 5u}) {
    Team team(threads);
    EXPECT_EQ(team.size(), threads);
    std::vector<int> done(threads);
    std::vector<std::thread::id> who(threads);
    team.run([&](unsigned index) {
      ++done[index];
      who[index] = std::this_thread::get_id();
    });
    EXPECT_EQ(done, std::vector<int>(threads, 1));
    EXPECT_EQ(std::set<std::thread::id>(who.begin(), who.end()).size(), threads);
    EXPECT_EQ(who[0], std::this_thread::get_id()) << "part 0 is the caller's";
  }
}

TEST(Team, EndsOneLoopBeforeTheNextBegins) {
  Team team(3);
  std::vector<std::uint64_t> values(1000, 1);
  for (int turn = 0; turn < 2000; ++turn)
    team.split(values.size(), 1, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) values[i] = values[i] * 31 + values.size() - i;
    });
  std::vector<std::uint64_t> expected(1000, 1);
  for (int turn = 0; turn < 2000; ++turn)
    for (std::size_t i = 0; i < expected.size(); ++i)
      expected[i] = expected[i] * 31 + expected.size() - i;
  EXPECT_EQ(values, expected);
}

TEST(Team, SplitsAtMultiplesOfTheGrainAndLeavesNothingOut) {
  Team team(4);
  for (const std::size_t count : {0u, 1u, 15u, 16u, 17u, 100u}) {
    std::vector<int> seen(count);
    std::atomic<bool> aligned{true};
    team.split(count, 16, [&](std::size_t begin, std::size_t end) {
      if (begin % 16 != 0 || (end % 16 != 0 && end != count)) aligned = false;
      for (std::size_t i = begin; i < end; ++i) ++seen[i];
    });
    EXPECT_TRUE(aligned);
    EXPECT_EQ(std::accumulate(seen.begin(), seen.end(), 0), static_cast<int>(count));
  }
}

}  // namespace
}  // namespace muster
