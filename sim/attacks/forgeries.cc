// Payloads that no training stands behind.
#include <vector>

#include "sim/attacks/adversary.h"
#include "sim/attacks/dense.h"

namespace muster::sim {
namespace {

using compression::Payload;
using compression::SparseUpdate;

class Forgery : public Adversary {
 public:
  explicit Forgery(const AdversaryContext& context)
      : layout_(context.layout), random_(context.seed, 11) {}
  std::vector<std::uint64_t> sequences(Round, std::vector<std::uint64_t>) override { return {}; }
  void saw_aggregate(Round, const SparseUpdate& aggregate) override {
    magnitude_ = typical_magnitude(aggregate);
  }

 protected:
  [[nodiscard]] Payload compressed(const Payload& like, std::span<const float> dense) const {
    return compression::compress(layout_, like.format, dense).value();
  }
  // Random signs of the size that the last aggregate had.
  [[nodiscard]] std::vector<float> noise() {
    std::vector<float> dense(layout_.parameters());
    for (float& value : dense) {
      const float size = magnitude_ * static_cast<float>(0.9 + 0.2 * random_.uniform());
      value = random_.chance(0.5) ? size : -size;
    }
    return dense;
  }
  compression::Layout layout_;
  Prng random_;
  float magnitude_ = 1e-3f;
};

class Noise final : public Forgery {
 public:
  using Forgery::Forgery;
  Payload payload(Round, Payload trained) override { return compressed(trained, noise()); }
};

class Replay final : public Forgery {
 public:
  Replay(const AdversaryContext& context, float factor)
      : Forgery(context), factor_(factor), last_(noise()) {}
  void saw_aggregate(Round, const SparseUpdate& aggregate) override {
    last_ = to_dense(layout_, aggregate);
    for (float& value : last_) value *= factor_;
  }
  Payload payload(Round, Payload trained) override { return compressed(trained, last_); }

 private:
  float factor_;
  std::vector<float> last_;
};

// Somebody else's payload, with a tenth of noise so that it is not the same bytes.
class Copy : public Forgery {
 public:
  using Forgery::Forgery;
  Payload payload(Round, Payload trained) override {
    std::vector<float> dense = noise();
    if (original_ != nullptr) {
      const float tenth = 0.1f * typical_magnitude(*original_) / magnitude_;
      for (float& value : dense) value *= tenth;
      for (std::size_t i = 0; i < original_->indices.size(); ++i)
        dense[original_->indices[i]] += original_->values[i];
    }
    return compressed(trained, dense);
  }

 protected:
  void pick(const RevealedPayloads& payloads) {
    if (payloads.empty()) return;
    auto at = payloads.begin();
    std::advance(at, random_.below(payloads.size()));
    original_ = at->second;
  }

 private:
  std::shared_ptr<const SparseUpdate> original_;
};

class CopyOfLastRound final : public Copy {
 public:
  using Copy::Copy;
  void saw_payloads(Round, const RevealedPayloads& payloads) override { pick(payloads); }
};

class CopyOfThisRound final : public Copy {
 public:
  using Copy::Copy;
  void peeked(Round, const RevealedPayloads& payloads) override { pick(payloads); }
};

// The whole norm in one parameter.
class OneValue final : public Forgery {
 public:
  using Forgery::Forgery;
  Payload payload(Round, Payload trained) override {
    std::vector<float> dense = noise();
    for (float& value : dense) value *= 1e-3f;
    const auto norm = static_cast<float>(layout_.parameters()) * magnitude_;
    dense[random_.below(dense.size())] = norm;
    return compressed(trained, dense);
  }
};

class Stale final : public Forgery {
 public:
  using Forgery::Forgery;
  std::vector<std::uint64_t> sequences(Round round, std::vector<std::uint64_t> assigned) override {
    trains_ = round.value % 5 == 0 || last_.segments.empty();
    return trains_ ? assigned : std::vector<std::uint64_t>{};
  }
  Payload payload(Round, Payload trained) override {
    if (trains_) {
      last_ = std::move(trained);
      return last_;
    }
    return compressed(trained, to_dense(layout_, last_));
  }

 private:
  bool trains_ = true;
  Payload last_;
};

class Scaled final : public Adversary {
 public:
  Scaled(const AdversaryContext& context, float factor)
      : layout_(context.layout), factor_(factor) {}
  Payload payload(Round, Payload trained) override {
    std::vector<float> dense = to_dense(layout_, trained);
    for (float& value : dense) value *= factor_;
    return compression::compress(layout_, trained.format, dense).value();
  }

 private:
  compression::Layout layout_;
  float factor_;
};

class Padded final : public Forgery {
 public:
  explicit Padded(const AdversaryContext& context)
      : Forgery(context), batch_(context.batch), last_(layout_.parameters(), 0.0f) {}
  std::vector<std::uint64_t> sequences(Round, std::vector<std::uint64_t> assigned) override {
    assigned.resize(std::max<std::size_t>(batch_, assigned.size() / 4 / batch_ * batch_));
    return assigned;
  }
  void saw_aggregate(Round, const SparseUpdate& aggregate) override {
    last_ = to_dense(layout_, aggregate);
  }
  Payload payload(Round, Payload trained) override {
    std::vector<float> dense = to_dense(layout_, trained);
    for (std::size_t i = 0; i < dense.size(); ++i) dense[i] += 0.5f * last_[i];
    return compressed(trained, dense);
  }

 private:
  std::uint32_t batch_;
  std::vector<float> last_;
};

}  // namespace

std::shared_ptr<Adversary> noise(const AdversaryContext& context) {
  return std::make_shared<Noise>(context);
}
std::shared_ptr<Adversary> replay(const AdversaryContext& context) {
  return std::make_shared<Replay>(context, 1.0f);
}
std::shared_ptr<Adversary> reversed_replay(const AdversaryContext& context) {
  return std::make_shared<Replay>(context, -10.0f);
}
std::shared_ptr<Adversary> copy_of_last_round(const AdversaryContext& context) {
  return std::make_shared<CopyOfLastRound>(context);
}
std::shared_ptr<Adversary> copy_of_this_round(const AdversaryContext& context) {
  return std::make_shared<CopyOfThisRound>(context);
}
std::shared_ptr<Adversary> one_value(const AdversaryContext& context) {
  return std::make_shared<OneValue>(context);
}
std::shared_ptr<Adversary> stale(const AdversaryContext& context) {
  return std::make_shared<Stale>(context);
}
std::shared_ptr<Adversary> scaled(const AdversaryContext& context, float factor) {
  return std::make_shared<Scaled>(context, factor);
}
std::shared_ptr<Adversary> padded(const AdversaryContext& context) {
  return std::make_shared<Padded>(context);
}

}  // namespace muster::sim
