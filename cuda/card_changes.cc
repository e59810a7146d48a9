#include "cuda/card_changes.h"

#include "cuda/launch.h"

namespace muster::gpu {
namespace {

class CardDisplacement final : public Displacement {
 public:
  CardDisplacement(CardContext& card, FloatArray& array, Memory<std::uint64_t> indices,
                   Memory<float> kept)
      : card_(card), array_(array), indices_(std::move(indices)), kept_(std::move(kept)) {}

  [[nodiscard]] Status swap() override {
    MUSTER_TRY_STATUS(card_.enter());
    return card_.run([&](cudaStream_t stream) { launch_swap(task(), kept_.data(), stream); });
  }
  [[nodiscard]] Status apply(const Memory<float>& values, float rate) {
    return card_.run([&](cudaStream_t stream) {
      launch_displace(task(), values.data(), rate, kept_.data(), stream);
    });
  }

 private:
  [[nodiscard]] ChangeTask task() {
    return {array_.device_data(), indices_.data(), indices_.size()};
  }

  CardContext& card_;
  FloatArray& array_;
  Memory<std::uint64_t> indices_;
  Memory<float> kept_;
};

class CardProducts final : public Products {
 public:
  CardProducts(CardContext& card, ProductPlan plan)
      : card_(card), plan_(std::move(plan)), sums_(plan_.chunks.size()) {}

  [[nodiscard]] Status upload() {
    MUSTER_TRY(indices_, card_.upload(std::span<const std::uint64_t>(plan_.indices)));
    MUSTER_TRY(values_, card_.upload(std::span<const float>(plan_.values)));
    MUSTER_TRY(chunks_, card_.upload(std::span<const ProductChunk>(plan_.chunks)));
    MUSTER_TRY(chunk_sums_, card_.allocate<double>(plan_.chunks.size()));
    return card_.finish();
  }
  [[nodiscard]] Result<std::vector<double>> multiply(FloatArray& array) override {
    if (plan_.chunks.empty()) return plan_.collect({});
    MUSTER_TRY_STATUS(card_.enter());
    const ProductTask task{static_cast<const CardArray&>(array).device_data(), indices_.data(),
                           values_.data(), chunks_.data(), chunk_sums_.data()};
    MUSTER_TRY_STATUS(card_.run(
        [&](cudaStream_t stream) { launch_products(task, plan_.chunks.size(), stream); }));
    MUSTER_TRY_STATUS(chunk_sums_.read(sums_, card_.stream()));
    MUSTER_TRY_STATUS(card_.finish());
    return plan_.collect(sums_);
  }

 private:
  CardContext& card_;
  ProductPlan plan_;
  std::vector<double> sums_;
  Memory<std::uint64_t> indices_;
  Memory<float> values_;
  Memory<ProductChunk> chunks_;
  Memory<double> chunk_sums_;
};

}  // namespace

Result<std::unique_ptr<Products>> make_card_products(
    CardContext& card, std::span<const compression::SparseUpdate* const> updates,
    const state::TensorGroups& groups) {
  MUSTER_TRY_STATUS(card.enter());
  auto products = std::make_unique<CardProducts>(card, ProductPlan(updates, groups));
  MUSTER_TRY_STATUS(products->upload());
  return std::unique_ptr<Products>(std::move(products));
}

Result<std::unique_ptr<Displacement>> make_displacement(CardContext& card, FloatArray& array,
                                                        const compression::SparseUpdate& update,
                                                        float rate) {
  MUSTER_TRY_STATUS(card.enter());
  MUSTER_TRY(auto indices, card.upload(std::span<const std::uint64_t>(update.indices)));
  MUSTER_TRY(const auto values, card.upload(std::span<const float>(update.values)));
  MUSTER_TRY(auto kept, card.allocate<float>(update.values.size()));
  auto made = std::make_unique<CardDisplacement>(card, array, std::move(indices), std::move(kept));
  MUSTER_TRY_STATUS(made->apply(values, rate));
  return std::unique_ptr<Displacement>(std::move(made));
}

Status gather_from(CardContext& card, const CardArray& array,
                   std::span<const std::uint64_t> indices, std::span<float> values) {
  MUSTER_CHECK(indices.size() == values.size(), "a place for each number");
  MUSTER_TRY_STATUS(card.enter());
  MUSTER_TRY(const auto places, card.upload(indices));
  MUSTER_TRY(const auto found, card.allocate<float>(values.size()));
  MUSTER_TRY_STATUS(card.run([&](cudaStream_t stream) {
    launch_gather({const_cast<float*>(array.device_data()), places.data(), places.size()},
                  found.data(), stream);
  }));
  MUSTER_TRY_STATUS(found.read(values, card.stream()));
  return card.finish();
}

Result<bool> subtract_on(CardContext& card, const CardArray& a, const CardArray& b,
                         CardArray& difference) {
  MUSTER_CHECK(a.size() == b.size() && a.size() == difference.size(), "arrays of different sizes");
  MUSTER_TRY_STATUS(card.enter());
  const unsigned none = 0;
  MUSTER_TRY(const auto others, card.upload(std::span(&none, 1)));
  MUSTER_TRY_STATUS(card.run([&](cudaStream_t stream) {
    launch_subtract(a.device_data(), b.device_data(), difference.device_data(), a.size(),
                    others.data(), stream);
  }));
  unsigned found = 0;
  MUSTER_TRY_STATUS(others.read(std::span(&found, 1), card.stream()));
  MUSTER_TRY_STATUS(card.finish());
  return found == 0;
}

}  // namespace muster::gpu
