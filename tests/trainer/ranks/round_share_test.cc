#include "trainer/rounds/round_share.h"

#include <limits>

#include "tests/trainer/ranks/ranks_as_threads.h"
#include "tests/trainer/ranks/segments_of_ranks.h"
#include "tests/trainer/trainer_fixture.h"
#include "trainer/rounds/inner_loop.h"
#include "trainer/rounds/round_engine.h"

namespace muster::trainer {
namespace {

constexpr auto kFormat = compression::two_part_format(512, compression::ValueFormat::kSign);

// What a miner's ranks made of a few rounds.
struct Outcome {
  std::vector<double> losses;                // of each round, as every rank reports it
  std::vector<std::vector<Bytes>> segments;  // of the last round, by rank
};

class RanksTest : public TrainerTest,
                  public ::testing::WithParamInterface<std::tuple<unsigned, bool, OptimizerKind>> {
 protected:
  RanksTest() {
    // Sizes that nothing divides; three segments, or, tied, two, so that some ranks have none.
    config_.model.d_model = 96;
    config_.model.d_ff = 200;
    config_.model.layers = 3;
    config_.model.vocab = 45'001;
    config_.model.tied = ranks() == 4;
    config_.schedule.peak = 2e-3;
    config_.optimizer.kind = std::get<2>(GetParam());
    config_.shards_parameters = std::get<1>(GetParam());
    config_.batch = 5;
    theta_ = make_theta();
  }
  [[nodiscard]] unsigned ranks() const { return std::get<0>(GetParam()); }

  [[nodiscard]] static protocol::TrainTask task_of(std::uint64_t round) {
    protocol::TrainTask task{Round{round}, {}, 3};
    for (std::uint64_t i = 0; i < 15; ++i) task.sequences.push_back((round * 15 + i) % 200);
    return task;
  }
  std::unique_ptr<RoundShare> share(Collective* collective) {
    auto data =
        DataSet::open(config_.train_data, config_.model.context, config_.model.vocab, kTrainSplit)
            .value();
    return RoundShare::make(
               config_, std::move(data), theta_,
               [config = config_, collective] { return make_round_engine(config, collective); },
               collective)
        .value();
  }
  // `rounds` rounds of one share, all delivered but the last, which is only encoded.
  static void train(RoundShare& share, std::uint64_t first, std::uint64_t rounds,
                    std::vector<double>* losses, std::vector<Bytes>* segments) {
    train_rounds(share, task_of, kFormat, {first, first + rounds}, losses, segments);
  }
  Outcome alone(std::uint64_t rounds) {
    Outcome outcome;
    outcome.segments.resize(1);
    train(*share(nullptr), 0, rounds, &outcome.losses, &outcome.segments[0]);
    return outcome;
  }
  Outcome together(std::uint64_t rounds) {
    Outcome outcome;
    outcome.segments.resize(ranks());
    run_ranks(ranks(), [&](Collective& collective) {
      train(*share(&collective), 0, rounds, collective.rank() == 0 ? &outcome.losses : nullptr,
            &outcome.segments[collective.rank()]);
    });
    return outcome;
  }
};

TEST_P(RanksTest, TrainAndCompressLikeOneProcess) {
  const auto layout = state::layout_of(config_.model);
  const Outcome expected = alone(3), outcome = together(3);
  ASSERT_EQ(outcome.losses.size(), expected.losses.size());
  for (std::size_t round = 0; round < expected.losses.size(); ++round)
    EXPECT_NEAR(outcome.losses[round], expected.losses[round], 1e-4 * expected.losses[round])
        << "round " << round;
  EXPECT_GT(cosine(dense_update(layout, kFormat, outcome.segments),
                   dense_update(layout, kFormat, expected.segments)),
            0.99);
}

TEST_P(RanksTest, GiveTheSameBytesOnEveryRun) {
  const Outcome first = together(2), second = together(2);
  EXPECT_EQ(first.losses, second.losses);
  EXPECT_EQ(first.segments, second.segments);
}

TEST_P(RanksTest, ASavedStateGoesOnInAnyNumberOfProcesses) {
  const auto layout = state::layout_of(config_.model);
  const auto path = directory_ / "state";
  // Ranks write it, with a payload pending, …
  std::vector<StateHead> heads(ranks());
  std::optional<StateFile> file;
  std::vector<std::vector<Bytes>> written(ranks()), reread(ranks());
  run_ranks(ranks(), [&](Collective& collective) {
    const unsigned rank = collective.rank();
    auto mine = share(&collective);
    train(*mine, 0, 2, nullptr, &written[rank]);
    heads[rank] = mine->describe().value();
    std::vector<double> all(ranks());
    const double entries = static_cast<double>(heads[rank].entries);
    ASSERT_TRUE(collective.share({&entries, 1}, all));
    if (rank == 0) {
      StateHead head = heads[0];
      head.entries = 0;
      head.pending = true;  // whether or not this rank has segments
      for (const double it : all) head.entries += static_cast<std::uint64_t>(it);
      file.emplace(StateFile::create(path, layout, head).value());
    }
    ASSERT_TRUE(collective.share({&entries, 1}, all));  // so that it is there
    std::uint64_t first_entry = 0;
    for (unsigned before = 0; before < rank; ++before)
      first_entry += static_cast<std::uint64_t>(all[before]);
    auto joined = StateFile::join(path, layout);
    ASSERT_TRUE(joined) << joined.error().message;
    ASSERT_TRUE(mine->write(*joined, first_entry));
    ASSERT_TRUE(mine->settle(protocol::Settlement::kKept));
    train(*mine, 2, 1, nullptr, &written[rank]);
  });
  ASSERT_TRUE(file->commit());
  const auto saved = StateFile::open(path, layout);
  ASSERT_TRUE(saved) << saved.error().message;
  EXPECT_TRUE(saved->head().pending);
  // … as many of them go on as if nothing had happened …
  run_ranks(ranks(), [&](Collective& collective) {
    auto mine = share(&collective);
    ASSERT_TRUE(mine->read(*saved));
    ASSERT_TRUE(mine->settle(protocol::Settlement::kKept));
    train(*mine, 2, 1, nullptr, &reread[collective.rank()]);
  });
  EXPECT_EQ(reread, written);
  // … and one process goes on as they do, but for the order of sums.
  auto one = share(nullptr);
  ASSERT_TRUE(one->read(*saved));
  ASSERT_TRUE(one->settle(protocol::Settlement::kKept));
  std::vector<std::vector<Bytes>> alone(1);
  train(*one, 2, 1, nullptr, &alone[0]);
  EXPECT_GT(cosine(dense_update(layout, kFormat, alone), dense_update(layout, kFormat, written)),
            0.99);
}

TEST_P(RanksTest, StopTogetherWhenOneIsAskedTo) {
  run_ranks(ranks(), [&](Collective& collective) {
    std::atomic<bool> stop{false};
    const auto result = share(&collective)->train(task_of(0), stop, [&](std::uint32_t step) {
      stop = collective.rank() == 1 && step == 1;
    });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::kCancelled);
  });
}

TEST_P(RanksTest, EndTheRoundTogetherWhereOneDoesNotFindItsData) {
  run_ranks(ranks(), [&](Collective& collective) {
    auto task = task_of(0);
    task.sequences[14] = 1'000'000;  // of the last step, the last rank's
    const std::atomic<bool> never{false};
    auto mine = share(&collective);
    const auto result = mine->train(task, never, [](std::uint32_t) {});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code,
              collective.rank() + 1 == ranks() ? Errc::kNotFound : Errc::kCancelled);
    EXPECT_TRUE(mine->is_sound()) << "nothing is wrong with the ranks";
    EXPECT_TRUE(mine->train(task_of(1), never, [](std::uint32_t) {}));
  });
}

TEST_P(RanksTest, EndTheRoundTogetherWhereNothingIsFinite) {
  theta_[3] = std::numeric_limits<float>::quiet_NaN();
  run_ranks(ranks(), [&](Collective& collective) {
    const std::atomic<bool> never{false};
    const auto result = share(&collective)->train(task_of(0), never, [](std::uint32_t) {});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::kNonFinite);
  });
}

TEST_P(RanksTest, SayThatOneIsGone) {
  run_ranks(ranks(), [&](Collective& collective) {
    auto mine = share(&collective);
    if (collective.rank() == 1) return;
    const std::atomic<bool> never{false};
    const auto result = mine->train(task_of(0), never, [](std::uint32_t) {});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::kClosed);
    EXPECT_FALSE(mine->is_sound());
  });
}

TEST_P(RanksTest, RefuseABatchThatLeavesOneWithoutWork) {
  run_ranks(ranks(), [&](Collective& collective) {
    protocol::TrainTask task{Round{0}, {1}, 1};
    const std::atomic<bool> never{false};
    const auto result = share(&collective)->train(task, never, [](std::uint32_t) {});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::kInvalidArgument);
  });
}

std::string name_of(const ::testing::TestParamInfo<RanksTest::ParamType>& info) {
  return std::to_string(std::get<0>(info.param)) +
         (std::get<1>(info.param) ? "Sharded" : "Replicated") +
         (std::get<2>(info.param) == OptimizerKind::kMuon ? "Muon" : "AdamW");
}
INSTANTIATE_TEST_SUITE_P(Of, RanksTest,
                         ::testing::Values(std::tuple{2u, false, OptimizerKind::kAdamW},
                                           std::tuple{2u, true, OptimizerKind::kMuon},
                                           std::tuple{4u, false, OptimizerKind::kMuon},
                                           std::tuple{4u, true, OptimizerKind::kAdamW}),
                         name_of);

}  // namespace
}  // namespace muster::trainer
