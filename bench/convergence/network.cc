#include "bench/convergence/network.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/prng.h"
#include "bench/convergence/templar_codec.h"
#include "state/aggregate.h"
#include "state/outer_step.h"
#include "trainer/cpu/cpu_device.h"
#include "trainer/optim/schedule.h"
#include "trainer/run/learner.h"

namespace muster::bench {
namespace {

constexpr double kCosineTo = 0.1;
constexpr double kClip = 1;
constexpr double kDenseBytes = 2;  // per parameter: bf16

double rate_at(const Task& task, double peak, std::uint64_t step) {
  return trainer::learning_rate({.peak = peak,
                                 .warmup_steps = 30,
                                 .total_steps = task.warm_steps + task.steps,
                                 .cosine_to = kCosineTo},
                                step);
}

// A model that trains on this machine's CPU, with one thread.
struct Trainee {
  std::shared_ptr<model::Device> device;
  std::unique_ptr<model::TrainableModel> model;
  std::uint64_t steps = 0;

  Trainee(const Task& task, trainer::OptimizerKind optimizer, std::uint32_t sequences)
      : device(std::make_shared<trainer::CpuDevice>(trainer::ComputeOptions{}, 1)) {
    auto made = device->make_model({.spec = task.model,
                                    .sequences = sequences,
                                    .compute = task.compute,
                                    .optimizer = {.kind = optimizer}});
    MUSTER_CHECK(made.has_value(), made ? "" : made.error().message);
    model = std::move(*made);
  }
  void step(std::span<const std::int32_t> tokens, double learning_rate, trainer::LossGuard& guard) {
    MUSTER_CHECK(
        trainer::guarded_step(*model, tokens, learning_rate, kClip, guard, steps).has_value(),
        "a step");
  }
};

// A method with another optimizer than the start's begins with an empty memory.
void restore(Trainee& trainee, const Start& start, trainer::OptimizerKind optimizer) {
  if (optimizer != start.kind) return;
  trainee.steps = start.optimizer_steps;
  const auto memory = trainee.model->optimizer_arrays();
  for (std::size_t i = 0; i < memory.size(); ++i)
    memory[i].values->write(start.optimizer[i]).value();
}

double norm_of(std::span<const float> values) {
  double square = 0;
  for (float v : values) square += static_cast<double>(v) * static_cast<double>(v);
  return std::sqrt(square);
}

struct Miner {
  Trainee trainee;
  std::vector<float> theta, first, second;  // error feedback and Δ, which take turns
  std::unique_ptr<compression::ErrorFeedback> feedback;
};

class Together {
 public:
  Together(const Method& method, const Task& task, const Start& start, const trainer::DataSet& data)
      : method_(method),
        task_(task),
        layout_(state::layout_of(task.model)),
        stream_(data, task),
        theta_(start.theta),
        update_(theta_.size()),
        momentum_(method.nesterov > 0 ? theta_.size() : 0),
        down_residual_(theta_.size()) {
    for (std::uint32_t i = 0; i < (method.exchange == Exchange::kGradients ? 1 : task.miners);
         ++i) {
      auto miner =
          std::make_unique<Miner>(Miner{Trainee(task, method.optimizer, sequences_of(method, task)),
                                        {},
                                        std::vector<float>(theta_.size()),
                                        std::vector<float>(theta_.size()),
                                        nullptr});
      restore(miner->trainee, start, method.optimizer);
      miner->feedback = std::make_unique<compression::ErrorFeedback>(miner->first, miner->second);
      miners_.push_back(std::move(miner));
    }
  }

  // One round from inner step `first` on; adds to what one miner has sent and received.
  void round(std::uint64_t first, Point& point) {
    if (method_.exchange == Exchange::kGradients) {
      Trainee& trainee = miners_[0]->trainee;
      trainee.model->load(theta_).value();
      trainee.step(stream_.batch(task_.warm_steps + first, 0, task_.miners), rate(first), guard_);
      trainee.model->parameters().read(theta_).value();
      point.up_bytes += kDenseBytes * static_cast<double>(theta_.size());
      point.down_bytes += kDenseBytes * static_cast<double>(theta_.size());
      return;
    }
    for (std::uint32_t i = 0; i < miners_.size(); ++i) {
      Miner& miner = *miners_[i];
      miner.trainee.model->load(theta_).value();
      for (std::uint32_t step = 0; step < method_.inner_steps; ++step)
        miner.trainee.step(stream_.batch(task_.warm_steps + first + step, i), rate(first + step),
                           guard_);
      miner.theta.resize(theta_.size());
      miner.trainee.model->parameters().read(miner.theta).value();
    }
    const std::uint32_t keep = density();
    switch (method_.exchange) {
      case Exchange::kDense:
        exchange_dense(point);
        break;
      case Exchange::kTemplar:
        exchange_templar(keep, point);
        break;
      default:
        exchange_ours(keep, point);
    }
    ++rounds_;
  }

  [[nodiscard]] std::span<const float> theta() const { return theta_; }

 private:
  [[nodiscard]] static std::uint32_t sequences_of(const Method& method, const Task& task) {
    return method.exchange == Exchange::kGradients ? task.miners * task.batch : task.batch;
  }
  [[nodiscard]] double rate(std::uint64_t step) const {
    return rate_at(task_, method_.learning_rate, task_.warm_steps + step);
  }
  [[nodiscard]] std::uint32_t density() const {
    std::uint64_t before = 0;
    for (const Density& stage : method_.schedule)
      if (before += stage.rounds; stage.rounds == 0 || rounds_ < before) return stage.keep;
    return method_.schedule.back().keep;
  }

  void exchange_dense(Point& point) {
    const float share = 1.0f / static_cast<float>(miners_.size());
    std::ranges::fill(update_, 0.0f);
    for (const auto& miner : miners_)
      for (std::size_t i = 0; i < theta_.size(); ++i)
        update_[i] += share * (theta_[i] - miner->theta[i]);
    step_outer();
    point.up_bytes += kDenseBytes * static_cast<double>(theta_.size());
    point.down_bytes += kDenseBytes * static_cast<double>(theta_.size());
  }

  // e ← decay · e + Δ; sent; e ← e − decoded; clipped to the median norm, averaged.
  void exchange_templar(std::uint32_t keep, Point& point) {
    std::vector<std::vector<float>> sent(miners_.size(), std::vector<float>(theta_.size()));
    std::vector<double> norms;
    double bytes = 0;
    for (std::size_t m = 0; m < miners_.size(); ++m) {
      Miner& miner = *miners_[m];
      for (std::size_t i = 0; i < theta_.size(); ++i)
        miner.first[i] = method_.feedback_decay * miner.first[i] + (theta_[i] - miner.theta[i]);
      bytes = templar_compress(layout_, miner.first, keep, sent[m]);
      for (std::size_t i = 0; i < theta_.size(); ++i) miner.first[i] -= sent[m][i];
      norms.push_back(norm_of(sent[m]));
    }
    auto sorted = norms;
    std::ranges::sort(sorted);
    const double median = sorted[(sorted.size() - 1) / 2];
    std::ranges::fill(update_, 0.0f);
    for (std::size_t m = 0; m < sent.size(); ++m) {
      const auto weight = static_cast<float>(std::min(1.0, median / std::max(norms[m], 1e-30)) /
                                             static_cast<double>(sent.size()));
      for (std::size_t i = 0; i < theta_.size(); ++i) update_[i] += weight * sent[m][i];
    }
    step_outer();
    point.up_bytes += bytes;
    point.down_bytes += bytes * static_cast<double>(miners_.size());
  }

  void exchange_ours(std::uint32_t keep, Point& point) {
    std::vector<compression::Payload> payloads;
    std::vector<state::Contribution> contributions;
    payloads.reserve(miners_.size());
    for (const auto& miner : miners_) {
      const auto delta = miner->feedback->delta();
      for (std::size_t i = 0; i < theta_.size(); ++i) delta[i] = theta_[i] - miner->theta[i];
      payloads.push_back(
          miner->feedback->compress(layout_, compression::two_part_format(keep, method_.values))
              .value());
      miner->feedback->settle_delivered(method_.feedback_decay);
      contributions.push_back(
          {1, &payloads.back(), compression::summarise(layout_, payloads.back()).value().norm});
    }
    const compression::PayloadFormat down{
        std::min(compression::kBlockElements, keep * method_.down_factor),
        compression::ValueFormat::kSignMagnitude};
    const auto sealed =
        state::seal_aggregate(layout_, contributions, medians_, down, 1.0f, down_residual_).value();
    medians_.push_back(sealed.median_norm);
    if (medians_.size() > 16) medians_.erase(medians_.begin());
    std::ranges::fill(update_, 0.0f);
    const auto decoded = compression::decode(layout_, sealed.aggregate).value();
    for (std::size_t i = 0; i < decoded.indices.size(); ++i)
      update_[decoded.indices[i]] = decoded.values[i];
    step_outer();
    for (const Bytes& segment : payloads.front().segments)
      point.up_bytes += static_cast<double>(segment.size());
    for (const Bytes& segment : sealed.aggregate.segments)
      point.down_bytes += static_cast<double>(segment.size());
  }

  void step_outer() {
    for (std::size_t i = 0; i < theta_.size(); ++i) {
      float move = update_[i];
      if (!momentum_.empty()) {
        momentum_[i] = method_.nesterov * momentum_[i] + update_[i];
        move += method_.nesterov * momentum_[i];
      }
      theta_[i] -= method_.outer_rate * move;
    }
  }

  Method method_;
  Task task_;
  compression::Layout layout_;
  Stream stream_;
  std::vector<float> theta_, update_, momentum_, down_residual_;
  trainer::LossGuard guard_{{.spike_sd = 0}};
  std::vector<double> medians_;
  std::vector<std::unique_ptr<Miner>> miners_;
  std::uint64_t rounds_ = 0;
};

}  // namespace

Stream::Stream(const trainer::DataSet& data, const Task& task)
    : data_(data), task_(task), order_(data.sequences()) {
  std::iota(order_.begin(), order_.end(), std::uint64_t{0});
  Prng random(task.seed + 1);
  for (std::size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[random.below(i)]);
}

std::span<const std::int32_t> Stream::batch(std::uint64_t step, std::uint32_t miner,
                                            std::uint32_t count) {
  const std::uint64_t first = (step * task_.miners + miner) * task_.batch,
                      wanted = std::uint64_t{count} * task_.batch;
  MUSTER_CHECK(first + wanted <= order_.size(), "more steps than the corpus has sequences");
  tokens_.resize(wanted * (task_.model.context + std::size_t{1}));
  const Status read = data_.read(std::span(order_).subspan(first, wanted), tokens_);
  MUSTER_CHECK(read.has_value(), read ? "" : read.error().message);
  return tokens_;
}

Start warm_start(const Task& task, const trainer::DataSet& data, double learning_rate,
                 trainer::OptimizerKind optimizer) {
  Trainee trainee(task, optimizer, task.miners * task.batch);
  Start start{std::vector<float>(state::layout_of(task.model).parameters()), optimizer, 0, {}};
  state::initial_parameters(task.model, task.seed, start.theta);
  Stream stream(data, task);
  trainer::LossGuard guard({.spike_sd = 0});
  trainee.model->load(start.theta).value();
  for (std::uint64_t step = 0; step < task.warm_steps; ++step)
    trainee.step(stream.batch(step, 0, task.miners), rate_at(task, learning_rate, step), guard);
  trainee.model->parameters().read(start.theta).value();
  start.optimizer_steps = trainee.steps;
  for (const model::NamedArray& array : trainee.model->optimizer_arrays()) {
    start.optimizer.emplace_back(array.values->size());
    array.values->read(start.optimizer.back()).value();
  }
  return start;
}

std::vector<Point> train_together(const Method& method, const Task& task, const Start& start,
                                  const trainer::DataSet& data, const Evaluate& evaluate,
                                  std::uint32_t points) {
  Together together(method, task, start, data);
  Point now{0, evaluate(together.theta()), 0, 0};
  std::vector<Point> curve{now};
  for (std::uint64_t step = 0; step < task.steps;) {
    together.round(step, now);
    const std::uint64_t before = step;
    step = std::min<std::uint64_t>(task.steps, step + method.inner_steps);
    if (step < task.steps && step * points / task.steps == before * points / task.steps) continue;
    now.step = step;
    now.loss = evaluate(together.theta());
    curve.push_back(now);
  }
  return curve;
}

}  // namespace muster::bench
