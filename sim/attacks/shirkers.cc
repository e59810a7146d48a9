// Miners that do a part of the work, or other work, and claim all of it.
#include <algorithm>
#include <cmath>

#include "sim/attacks/adversary.h"
#include "sim/attacks/dense.h"

namespace muster::sim {
namespace {

using compression::Payload;

// Whole batches only, and at least one.
std::vector<std::uint64_t> first_share(std::vector<std::uint64_t> assigned, double share,
                                       std::uint32_t batch) {
  const auto steps = static_cast<double>(assigned.size() / batch);
  const auto kept = std::max<std::size_t>(1, static_cast<std::size_t>(steps * share));
  assigned.resize(std::min(assigned.size(), kept * batch));
  return assigned;
}

class Lazy final : public Adversary {
 public:
  Lazy(const AdversaryContext& context, double share) : batch_(context.batch), share_(share) {}
  std::vector<std::uint64_t> sequences(Round, std::vector<std::uint64_t> assigned) override {
    return first_share(std::move(assigned), share_, batch_);
  }

 private:
  std::uint32_t batch_;
  double share_;
};

class Scheduled final : public Adversary {
 public:
  explicit Scheduled(const AdversaryContext& context) : batch_(context.batch) {}
  std::vector<std::uint64_t> sequences(Round round, std::vector<std::uint64_t> assigned) override {
    const bool rests = measured_ && round.value - measured_->value <= 2;
    return rests ? first_share(std::move(assigned), 0.125, batch_) : assigned;
  }
  void was_measured(Round round) override { measured_ = round; }

 private:
  std::uint32_t batch_;
  std::optional<Round> measured_;
};

// All the steps, on an eighth of the data.
class Overfit final : public Adversary {
 public:
  explicit Overfit(const AdversaryContext& context) : batch_(context.batch) {}
  std::vector<std::uint64_t> sequences(Round, std::vector<std::uint64_t> assigned) override {
    const auto eighth = first_share(assigned, 0.125, batch_);
    for (std::size_t i = 0; i < assigned.size(); ++i) assigned[i] = eighth[i % eighth.size()];
    return assigned;
  }

 private:
  std::uint32_t batch_;
};

class WrongData final : public Adversary {
 public:
  explicit WrongData(const AdversaryContext& context)
      : count_(context.sequences), random_(context.seed, 12) {}
  std::vector<std::uint64_t> sequences(Round, std::vector<std::uint64_t> assigned) override {
    for (std::uint64_t& sequence : assigned) sequence = random_.below(count_);
    return assigned;
  }

 private:
  std::uint64_t count_;
  Prng random_;
};

// Honest in some rounds, an adversary of another kind in the others.
class Sometimes final : public Adversary {
 public:
  using IsHonest = bool (*)(Round);
  Sometimes(std::shared_ptr<Adversary> other, IsHonest is_honest)
      : other_(std::move(other)), is_honest_(is_honest) {}
  std::vector<std::uint64_t> sequences(Round round, std::vector<std::uint64_t> assigned) override {
    return is_honest_(round) ? assigned : other_->sequences(round, std::move(assigned));
  }
  Payload payload(Round round, Payload trained) override {
    return is_honest_(round) ? trained : other_->payload(round, std::move(trained));
  }
  void saw_aggregate(Round round, const compression::SparseUpdate& aggregate) override {
    other_->saw_aggregate(round, aggregate);
  }

 private:
  std::shared_ptr<Adversary> other_;
  IsHonest is_honest_;
};

class EverySecondRoundAbsent final : public Adversary {
 public:
  bool takes_part(Round round) override { return round.value % 2 == 0; }
};

class From final : public Adversary {
 public:
  explicit From(std::optional<Round> first) : first_(first) {}
  bool takes_part(Round round) override { return first_ && *first_ <= round; }

 private:
  std::optional<Round> first_;
};

class Frozen final : public Adversary {
 public:
  explicit Frozen(const AdversaryContext& context)
      : layout_(context.layout), random_(context.seed, 13) {}
  Payload payload(Round, Payload trained) override {
    const auto update = compression::decode(layout_, trained).value();
    std::vector<float> dense = to_dense(layout_, update);
    const float size = typical_magnitude(update);
    for (std::size_t i = 0; i < dense.size() / 2; ++i)
      dense[i] =
          (random_.chance(0.5) ? size : -size) * static_cast<float>(0.9 + 0.2 * random_.uniform());
    return compression::compress(layout_, trained.format, dense).value();
  }

 private:
  compression::Layout layout_;
  Prng random_;
};

class TopLayers final : public Adversary {
 public:
  explicit TopLayers(const AdversaryContext& context) : layout_(context.layout) {}
  Payload payload(Round, Payload trained) override {
    std::vector<float> dense = to_dense(layout_, trained);
    std::fill_n(dense.begin(), dense.size() / 2, 0.0f);
    return compression::compress(layout_, trained.format, dense).value();
  }

 private:
  compression::Layout layout_;
};

class LateSteps final : public Adversary {
 public:
  explicit LateSteps(const AdversaryContext& context) : batch_(context.batch) {}
  std::vector<std::uint64_t> sequences(Round, std::vector<std::uint64_t> assigned) override {
    std::ranges::reverse(assigned);
    assigned = first_share(std::move(assigned), 0.5, batch_);
    std::ranges::reverse(assigned);
    return assigned;
  }

 private:
  std::uint32_t batch_;
};

class SmallBatches final : public Adversary {
 public:
  SmallBatches(const AdversaryContext& context, double share)
      : batch_(context.batch),
        kept_(static_cast<std::uint32_t>(std::lround(context.batch * share))) {}
  std::vector<std::uint64_t> sequences(Round, std::vector<std::uint64_t> assigned) override {
    std::vector<std::uint64_t> kept;
    for (std::size_t i = 0; i < assigned.size(); ++i)
      if (i % batch_ < kept_) kept.push_back(assigned[i]);
    return kept;
  }

 private:
  std::uint32_t batch_, kept_;
};

class Shadow final : public Adversary {
 public:
  void saw_assignment(Round, const std::map<Uid, std::vector<std::uint64_t>>& assigned) override {
    victims_ = assigned.at(Uid{0});
  }
  std::vector<std::uint64_t> sequences(Round, std::vector<std::uint64_t>) override {
    return victims_;
  }

 private:
  std::vector<std::uint64_t> victims_;
};

class SybilMix final : public Adversary {
 public:
  explicit SybilMix(const AdversaryContext& context)
      : batch_(context.batch), first_(context.first_hotkey) {}
  void saw_assignment(Round, const std::map<Uid, std::vector<std::uint64_t>>& assigned) override {
    mixed_.clear();
    for (std::uint16_t hotkey = 0; hotkey < 2; ++hotkey) {
      const auto of_one = assigned.find(Uid{static_cast<std::uint16_t>(first_.value + hotkey)});
      if (of_one == assigned.end()) continue;
      const auto half = first_share(of_one->second, 0.5, batch_);
      mixed_.insert(mixed_.end(), half.begin(), half.end());
    }
  }
  std::vector<std::uint64_t> sequences(Round, std::vector<std::uint64_t>) override {
    return mixed_;
  }

 private:
  std::uint32_t batch_;
  Uid first_;
  std::vector<std::uint64_t> mixed_;
};

class PublicData final : public Adversary {
 public:
  PublicData(const AdversaryContext& context, Round first)
      : count_(context.sequences), first_(first) {}
  bool takes_part(Round round) override { return first_ <= round; }
  std::vector<std::uint64_t> sequences(Round round, std::vector<std::uint64_t> assigned) override {
    Prng random(round.value, 14);
    for (std::uint64_t& sequence : assigned) sequence = random.below(count_);
    return assigned;
  }

 private:
  std::uint64_t count_;
  Round first_;
};

class Withholding final : public Adversary {
 public:
  bool reveals(Round round) override { return round.value % 2 == 0; }
};

}  // namespace

std::shared_ptr<Adversary> lazy(const AdversaryContext& context, double share) {
  return std::make_shared<Lazy>(context, share);
}
std::shared_ptr<Adversary> scheduled(const AdversaryContext& context) {
  return std::make_shared<Scheduled>(context);
}
std::shared_ptr<Adversary> overfit(const AdversaryContext& context) {
  return std::make_shared<Overfit>(context);
}
std::shared_ptr<Adversary> wrong_data(const AdversaryContext& context) {
  return std::make_shared<WrongData>(context);
}
std::shared_ptr<Adversary> every_second_round_noise(const AdversaryContext& context) {
  return std::make_shared<Sometimes>(noise(context),
                                     [](Round round) { return round.value % 2 == 0; });
}
std::shared_ptr<Adversary> every_second_round_absent(const AdversaryContext&) {
  return std::make_shared<EverySecondRoundAbsent>();
}
std::shared_ptr<Adversary> turncoat(const AdversaryContext& context) {
  return std::make_shared<Sometimes>(noise(context),
                                     [](Round round) { return round < kTurncoatTurns; });
}
std::shared_ptr<Adversary> late(const AdversaryContext&) {
  return std::make_shared<From>(kLateComes);
}
const Attack& nobody() {
  static const Attack never{"nobody",
                            "never takes part",
                            0,
                            {},
                            {},
                            [](const AdversaryContext&) -> std::shared_ptr<Adversary> {
                              return std::make_shared<From>(std::nullopt);
                            }};
  return never;
}
std::shared_ptr<Adversary> frozen(const AdversaryContext& context) {
  return std::make_shared<Frozen>(context);
}
std::shared_ptr<Adversary> top_layers(const AdversaryContext& context) {
  return std::make_shared<TopLayers>(context);
}
std::shared_ptr<Adversary> late_steps(const AdversaryContext& context) {
  return std::make_shared<LateSteps>(context);
}
std::shared_ptr<Adversary> small_batches(const AdversaryContext& context, double share) {
  return std::make_shared<SmallBatches>(context, share);
}
std::shared_ptr<Adversary> shadow(const AdversaryContext&) { return std::make_shared<Shadow>(); }
std::shared_ptr<Adversary> sybil_mix(const AdversaryContext& context) {
  return std::make_shared<SybilMix>(context);
}
std::shared_ptr<Adversary> public_data(const AdversaryContext& context, Round first) {
  return std::make_shared<PublicData>(context, first);
}
std::shared_ptr<Adversary> withholding(const AdversaryContext&) {
  return std::make_shared<Withholding>();
}
std::shared_ptr<Adversary> saboteur(const AdversaryContext&) {
  return std::make_shared<Adversary>();
}

}  // namespace muster::sim
