#include "trainer/ranks/gloo_collective.h"

#include <chrono>
#include <deque>
#include <future>

#include "tests/trainer/ranks/collective_conformance.h"
#include "tests/trainer/ranks/ranks_as_threads.h"

namespace muster::trainer {
namespace {

struct HostMemory {
  std::deque<std::vector<float>> arrays;
  std::span<float> make(std::vector<float> values) {
    return arrays.emplace_back(std::move(values));
  }
  static std::vector<float> values(std::span<const float> there) {
    return {there.begin(), there.end()};
  }
};

template <unsigned kSize>
struct GlooEnvironment {
  [[nodiscard]] unsigned size() const { return kSize; }
  template <class Main>
  void run(const Main& rank_main) {
    run_ranks(kSize, [&](Collective& collective) {
      HostMemory memory;
      rank_main(collective, memory);
    });
  }
};

using Environments = ::testing::Types<GlooEnvironment<1>, GlooEnvironment<2>, GlooEnvironment<4>>;
INSTANTIATE_TYPED_TEST_SUITE_P(Gloo, CollectiveConformance, Environments);

TEST(GlooCollective, TellsThatARankIsGoneAndStaysFailed) {
  std::promise<void> rank_0_joined;
  run_ranks(2, [&](Collective& collective) {
    if (collective.rank() == 1) {
      // Returning closes its connections, which rank 0 would take for a failed start if it still
      // were joining.
      rank_0_joined.get_future().wait_for(std::chrono::minutes(1));
      return;
    }
    rank_0_joined.set_value();
    std::vector<float> values(10);
    const std::vector<Range> owned{{0, 5}, {5, 10}};
    const Status first = collective.all_gather(values, owned);
    ASSERT_FALSE(first);
    EXPECT_EQ(first.error().code, Errc::kClosed);
    EXPECT_NE(first.error().message.find("rank 0 of 2 lost another"), std::string::npos)
        << first.error().message;
    EXPECT_EQ(collective.all_gather(values, owned).error().code, Errc::kClosed);
  });
}

TEST(GlooCollective, RefusesAFolderThatIsNotThere) {
  const auto joined = join_gloo({.folder = "/nowhere", .timeout_ms = 1000}, 0, 2);
  ASSERT_FALSE(joined);
  EXPECT_EQ(joined.error().code, Errc::kIo);
}

}  // namespace
}  // namespace muster::trainer
