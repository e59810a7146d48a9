#include "sim/adversaries.h"

#include <vector>

namespace muster::sim {
namespace {

using compression::Payload;

// Mean magnitude of an update, to look honest.
float typical_magnitude(const compression::SparseUpdate& update) {
  double sum = 0;
  for (float value : update.values) sum += value < 0 ? -value : value;
  return update.values.empty() ? 1e-3f
                               : static_cast<float>(sum / static_cast<double>(update.values.size()));
}

class Noise final : public miner::Conduct {
 public:
  Noise(const compression::Layout& layout, std::uint64_t seed) : layout_(layout), random_(seed) {}
  [[nodiscard]] bool trains() const override { return false; }
  void saw_aggregate(Round, const compression::SparseUpdate& aggregate) override {
    magnitude_ = typical_magnitude(aggregate);
  }
  Payload payload(Round, Payload trained) override {
    std::vector<float> dense(layout_.parameters());
    for (float& value : dense) {
      const float size = magnitude_ * static_cast<float>(0.9 + 0.2 * random_.uniform());
      value = random_.chance(0.5) ? size : -size;
    }
    return compression::compress(layout_, trained.format, dense).value();
  }

 private:
  compression::Layout layout_;
  Prng random_;
  float magnitude_ = 1e-3f;
};

class Replay final : public miner::Conduct {
 public:
  explicit Replay(const compression::Layout& layout)
      : layout_(layout), last_(layout.parameters(), 0.0f) {
    for (std::size_t i = 0; i < last_.size(); ++i) last_[i] = i % 2 == 0 ? 1e-3f : -1e-3f;
  }
  [[nodiscard]] bool trains() const override { return false; }
  void saw_aggregate(Round, const compression::SparseUpdate& aggregate) override {
    last_.assign(layout_.parameters(), 0.0f);
    for (std::size_t i = 0; i < aggregate.indices.size(); ++i)
      last_[aggregate.indices[i]] = aggregate.values[i];
  }
  Payload payload(Round, Payload trained) override {
    return compression::compress(layout_, trained.format, last_).value();
  }

 private:
  compression::Layout layout_;
  std::vector<float> last_;
};

class Withholding final : public miner::Conduct {
 public:
  bool reveals(Round round) override { return round.value % 2 == 0; }
};

class WrongData final : public miner::Conduct {
 public:
  WrongData(std::uint64_t count, std::uint64_t seed) : count_(count), random_(seed) {}
  std::vector<std::uint64_t> sequences(Round, std::vector<std::uint64_t> assigned) override {
    for (std::uint64_t& sequence : assigned) sequence = random_.below(count_);
    return assigned;
  }

 private:
  std::uint64_t count_;
  Prng random_;
};

}  // namespace

std::shared_ptr<miner::Conduct> noise_conduct(const compression::Layout& layout,
                                              std::uint64_t seed) {
  return std::make_shared<Noise>(layout, seed);
}
std::shared_ptr<miner::Conduct> replay_conduct(const compression::Layout& layout) {
  return std::make_shared<Replay>(layout);
}
std::shared_ptr<miner::Conduct> wrong_data_conduct(std::uint64_t count, std::uint64_t seed) {
  return std::make_shared<WrongData>(count, seed);
}
std::shared_ptr<miner::Conduct> withholding_conduct() { return std::make_shared<Withholding>(); }

}  // namespace muster::sim
