#include "trainer/ranks/sharded_inner_loop.h"

#include "trainer/ranks/gloo_collective.h"
#include "trainer/ranks/rank_server.h"
#include "trainer/rounds/inner_loop.h"
#include "trainer/rounds/round_engine.h"

namespace muster::trainer {
namespace {

Status check(const TrainerConfig& config, unsigned size) {
  if (config.device == DeviceChoice::kAuto)
    return Error{Errc::kInvalidArgument,
                 "several ranks must all compute on the same: say --device cpu or --device cuda"};
  if (size > config.batch)
    return Error{Errc::kInvalidArgument,
                 std::to_string(size) + " ranks, but a batch of this run has " +
                     std::to_string(config.batch) + " sequences to share: take at most " +
                     std::to_string(config.batch) + " ranks"};
  return {};
}

}  // namespace

Result<std::unique_ptr<protocol::InnerLoop>> make_sharded_inner_loop(
    const TrainerConfig& config, std::span<const float> parameters, RankLaunch launch) {
  MUSTER_TRY_STATUS(check(config, launch.size));
  auto layout = state::layout_of(config.model);
  MUSTER_TRY(auto theta, SharedFloats::make(layout.parameters()));
  MUSTER_TRY(auto group,
             RankGroup::make({.size = launch.size,
                              .folder = std::move(launch.folder),
                              .theta = theta.descriptor(),
                              .optimizer = optimizer_arrays(config.optimizer.kind, layout),
                              .start = std::move(launch.start),
                              .note = std::move(launch.note)}));
  auto loop = std::make_unique<LlamaInnerLoop>(std::move(layout), config.outer_learning_rate,
                                               std::move(theta), std::move(group));
  MUSTER_TRY_STATUS(loop->set_parameters(parameters));
  return std::unique_ptr<protocol::InnerLoop>(std::move(loop));
}

Status run_rank(TrainerConfig config, const RankSeat& seat) {
  RankChannel channel{FileHandle(seat.channel)};
  if (config.device == DeviceChoice::kCuda) config.card = seat.rank;
  const auto layout = state::layout_of(config.model);
  std::unique_ptr<Collective> collective;
  std::unique_ptr<RoundShare> share;
  std::optional<SharedFloats> theta;
  const auto prepare = [&]() -> Status {
    MUSTER_TRY(auto view, SharedFloats::join(FileHandle(seat.theta), layout.parameters()));
    theta.emplace(std::move(view));
    MUSTER_TRY(auto data, DataSet::open(config.train_data, config.model.context, config.model.vocab,
                                        kTrainSplit));
    if (seat.size > 1) {
      MUSTER_TRY(collective, join_gloo({seat.meeting}, seat.rank, seat.size));
    }
    MUSTER_TRY(share,
               RoundShare::make(
                   config, std::move(data), theta->values(),
                   [&] { return make_round_engine(config, collective.get()); }, collective.get()));
    return {};
  };
  const Status ready = prepare();
  MUSTER_TRY_STATUS(announce(channel, ready));
  return ready ? serve_rank(channel, *share, layout) : ready;
}

}  // namespace muster::trainer
