#include "tests/trainer/device/device_fixture.h"
#include "tests/trainer/ranks/ranks_as_threads.h"
#include "tests/trainer/ranks/segments_of_ranks.h"
#include "trainer/rounds/round_engine.h"
#include "trainer/rounds/round_share.h"

namespace muster::trainer {
namespace {

constexpr auto kFormat = compression::two_part_format(512, compression::ValueFormat::kSign);

// Ranks on cards whose thread blocks the host plays: their memory is the host's, so that Gloo
// serves for both.
class CardRanksTest
    : public DeviceFixture,
      public ::testing::WithParamInterface<std::tuple<unsigned, bool, OptimizerKind>> {
 protected:
  void SetUp() override {
    config_.compute.compute = Compute::kFloat32;
    config_.shards_parameters = std::get<1>(GetParam());
    config_.optimizer.kind = std::get<2>(GetParam());
    config_.batch = 5;
  }
  [[nodiscard]] unsigned ranks() const { return std::get<0>(GetParam()); }
  [[nodiscard]] static protocol::TrainTask task_of(std::uint64_t round) {
    protocol::TrainTask task{Round{round}, {}, 2};
    for (std::uint64_t i = 0; i < 10; ++i) task.sequences.push_back((round * 10 + i) % 200);
    return task;
  }
  std::unique_ptr<RoundShare> share(std::shared_ptr<gpu::Card> card, Collective* collective) {
    RankPlace place;
    // Not owned: it lives as long as the rank's thread.
    if (collective != nullptr)
      place = {std::shared_ptr<Collective>(std::shared_ptr<Collective>(), collective), collective};
    return RoundShare::make(
               config_, data(config_.train_data), theta_,
               [config = config_, card, place] { return RoundEngine::make(config, card, place); },
               collective)
        .value();
  }
  // Mean losses of the rounds, and the last one's segments.
  static void train(RoundShare& share, std::uint64_t first, std::uint64_t rounds,
                    std::vector<double>* losses, std::vector<Bytes>* segments) {
    train_rounds(share, task_of, kFormat, {first, first + rounds}, losses, segments);
  }
  [[nodiscard]] std::vector<float> dense(const std::vector<std::vector<Bytes>>& segments) const {
    return dense_update(state::layout_of(config_.model), kFormat, segments);
  }
};

TEST_P(CardRanksTest, TrainAndCompressLikeOneCard) {
  std::vector<double> expected, losses;
  std::vector<std::vector<Bytes>> alone(1), together(ranks());
  train(*share(std::make_shared<gpu::HostCard>(), nullptr), 0, 2, &expected, &alone[0]);
  run_ranks(ranks(), [&](Collective& collective) {
    train(*share(std::make_shared<gpu::HostCard>(), &collective), 0, 2,
          collective.rank() == 0 ? &losses : nullptr, &together[collective.rank()]);
  });
  ASSERT_EQ(losses.size(), expected.size());
  for (std::size_t round = 0; round < losses.size(); ++round)
    EXPECT_NEAR(losses[round], expected[round], 1e-4 * expected[round]) << "round " << round;
  EXPECT_GT(cosine(dense(together), dense(alone)), 0.99);
}

TEST_P(CardRanksTest, HandTheirStateToRanksAfterThem) {
  const auto layout = state::layout_of(config_.model);
  const auto path = directory_ / "state";
  std::optional<StateFile> file;
  std::vector<std::vector<Bytes>> went_on(ranks()), took_over(ranks());
  run_ranks(ranks(), [&](Collective& collective) {
    const unsigned rank = collective.rank();
    auto mine = share(std::make_shared<gpu::HostCard>(), &collective);
    train(*mine, 0, 1, nullptr, &went_on[rank]);
    const StateHead head = mine->describe().value();
    const double entries = static_cast<double>(head.entries);
    std::vector<double> all(ranks());
    ASSERT_TRUE(collective.share({&entries, 1}, all));
    if (rank == 0) {
      StateHead whole = head;
      whole.pending = true;
      whole.entries = 0;
      for (const double it : all) whole.entries += static_cast<std::uint64_t>(it);
      file.emplace(StateFile::create(path, layout, whole).value());
    }
    ASSERT_TRUE(collective.share({&entries, 1}, all));  // so that the file is there
    std::uint64_t first_entry = 0;
    for (unsigned before = 0; before < rank; ++before)
      first_entry += static_cast<std::uint64_t>(all[before]);
    auto joined = StateFile::join(path, layout).value();
    ASSERT_TRUE(mine->write(joined, first_entry));
    ASSERT_TRUE(mine->settle(protocol::Settlement::kKept));
    train(*mine, 1, 1, nullptr, &went_on[rank]);
  });
  ASSERT_TRUE(file->commit());
  const auto saved = StateFile::open(path, layout).value();
  run_ranks(ranks(), [&](Collective& collective) {
    auto mine = share(std::make_shared<gpu::HostCard>(), &collective);
    ASSERT_TRUE(mine->read(saved));
    ASSERT_TRUE(mine->settle(protocol::Settlement::kKept));
    train(*mine, 1, 1, nullptr, &took_over[collective.rank()]);
  });
  EXPECT_EQ(took_over, went_on);
}

std::string name_of(const ::testing::TestParamInfo<CardRanksTest::ParamType>& info) {
  return std::to_string(std::get<0>(info.param)) +
         (std::get<1>(info.param) ? "Sharded" : "Replicated") +
         (std::get<2>(info.param) == OptimizerKind::kMuon ? "Muon" : "AdamW");
}
INSTANTIATE_TEST_SUITE_P(Of, CardRanksTest,
                         ::testing::Values(std::tuple{2u, false, OptimizerKind::kAdamW},
                                           std::tuple{2u, true, OptimizerKind::kMuon},
                                           std::tuple{3u, true, OptimizerKind::kAdamW}),
                         name_of);

}  // namespace
}  // namespace muster::trainer
