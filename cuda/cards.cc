// What libmuster_cuda.so is loaded for: the cards there are, and one opened.
#include "cuda/card_changes.h"
#include "cuda/card_error_feedback.h"
#include "cuda/llama/card_model.h"
#include "cuda/nccl_collective.h"

namespace muster::gpu {
namespace {

class OpenCard final : public Card {
 public:
  explicit OpenCard(std::unique_ptr<CardContext> context) : context_(std::move(context)) {}

  [[nodiscard]] CardInfo info() const override { return context_->info(); }
  [[nodiscard]] double kernel_seconds() const override { return context_->kernel_seconds(); }

  [[nodiscard]] Result<std::unique_ptr<FloatArray>> make_array(std::uint64_t count) override {
    MUSTER_TRY(auto array, CardArray::make(*context_, count));
    return std::unique_ptr<FloatArray>(std::move(array));
  }
  [[nodiscard]] Result<std::unique_ptr<model::ErrorFeedback>> make_error_feedback(
      const compression::Layout& layout, unsigned threads) override {
    MUSTER_TRY(auto feedback, CardErrorFeedback::make(*context_, layout, threads));
    return std::unique_ptr<model::ErrorFeedback>(std::move(feedback));
  }

  [[nodiscard]] Status copy(FloatArray& from, FloatArray& to) override {
    MUSTER_CHECK(from.size() == to.size(), "arrays of different sizes");
    MUSTER_TRY_STATUS(context_->enter());
    cudaError_t error = cudaSuccess;
    MUSTER_TRY_STATUS(context_->run([&](cudaStream_t stream) {
      error = cudaMemcpyAsync(to.device_data(), from.device_data(), from.size() * sizeof(float),
                              cudaMemcpyDeviceToDevice, stream);
    }));
    return checked(error, "copying");
  }

  [[nodiscard]] Status add(const compression::Layout& layout, FloatArray& sum,
                           std::span<const BlockwiseEntries> payloads,
                           std::span<const float> weights) override {
    MUSTER_CHECK(weights.size() == payloads.size(), "a weight for each payload");
    MUSTER_CHECK(sum.size() == layout.parameters(), "a sum of another layout");
    for (std::size_t first = 0; first < payloads.size(); first += kThreads) {
      const std::size_t count = std::min<std::size_t>(kThreads, payloads.size() - first);
      MUSTER_TRY_STATUS(
          add_some(layout, sum, payloads.subspan(first, count), weights.subspan(first, count)));
    }
    return {};
  }

  [[nodiscard]] Status outer_step(const compression::Layout& layout, FloatArray& theta,
                                  const BlockwiseEntries& aggregate, float learning_rate) override {
    MUSTER_CHECK(theta.size() == layout.parameters(), "parameters of another layout");
    MUSTER_TRY_STATUS(context_->enter());
    MUSTER_TRY(const BlockPlace* places, context_->places(layout));
    MUSTER_TRY(const UploadedEntries entries, upload(layout, aggregate));
    return context_->run([&](cudaStream_t stream) {
      launch_step({places, theta.device_data(), entries.list(), learning_rate},
                  layout.block_count(), stream);
    });
  }

  [[nodiscard]] Result<std::unique_ptr<Displacement>> displace(
      FloatArray& array, const compression::SparseUpdate& update, float rate) override {
    return make_displacement(*context_, array, update, rate);
  }
  [[nodiscard]] Result<std::unique_ptr<Products>> make_products(
      std::span<const compression::SparseUpdate* const> updates,
      const state::TensorGroups& groups) override {
    return make_card_products(*context_, updates, groups);
  }
  [[nodiscard]] Status gather(FloatArray& array, std::span<const std::uint64_t> indices,
                              std::span<float> values) override {
    return gather_from(*context_, static_cast<const CardArray&>(array), indices, values);
  }
  [[nodiscard]] Result<bool> subtract(FloatArray& a, FloatArray& b,
                                      FloatArray& difference) override {
    return subtract_on(*context_, static_cast<const CardArray&>(a),
                       static_cast<const CardArray&>(b), static_cast<CardArray&>(difference));
  }
  [[nodiscard]] Result<std::unique_ptr<Collective>> join(const GroupId& group, unsigned rank,
                                                         unsigned size) override {
    MUSTER_TRY(auto collective, join_nccl(*context_, group, rank, size));
    return std::unique_ptr<Collective>(std::move(collective));
  }
  [[nodiscard]] Result<std::unique_ptr<TrainableModel>> make_model(
      const ModelSettings& settings) override {
    return make_card_model(*context_, settings);
  }

 private:
  struct UploadedEntries {
    Memory<std::uint64_t> ends;
    Memory<std::uint16_t> indices;
    Memory<float> values;
    [[nodiscard]] EntryList list() const { return {ends.data(), indices.data(), values.data()}; }
  };
  Result<UploadedEntries> upload(const compression::Layout& layout,
                                 const BlockwiseEntries& entries) {
    MUSTER_CHECK(entries.ends.size() == layout.block_count(), "a payload of another layout");
    UploadedEntries uploaded;
    MUSTER_TRY(uploaded.ends, context_->upload(std::span<const std::uint64_t>(entries.ends)));
    MUSTER_TRY(uploaded.indices, context_->upload(std::span<const std::uint16_t>(entries.indices)));
    MUSTER_TRY(uploaded.values, context_->upload(std::span<const float>(entries.values)));
    return uploaded;
  }

  Status add_some(const compression::Layout& layout, FloatArray& sum,
                  std::span<const BlockwiseEntries> payloads, std::span<const float> weights) {
    MUSTER_TRY_STATUS(context_->enter());
    MUSTER_TRY(const BlockPlace* places, context_->places(layout));
    std::vector<UploadedEntries> uploaded;
    std::vector<EntryList> lists;
    for (const BlockwiseEntries& payload : payloads) {
      MUSTER_TRY(UploadedEntries entries, upload(layout, payload));
      uploaded.push_back(std::move(entries));
      lists.push_back(uploaded.back().list());
    }
    MUSTER_TRY(const auto device_lists, context_->upload(std::span<const EntryList>(lists)));
    MUSTER_TRY(const auto device_weights, context_->upload(weights));
    return context_->run([&](cudaStream_t stream) {
      launch_sum({places, sum.device_data(), device_lists.data(), device_weights.data(),
                  static_cast<std::uint32_t>(payloads.size())},
                 layout.block_count(), stream);
    });
  }

  std::unique_ptr<CardContext> context_;
};

class InstalledCards final : public Cards {
 public:
  [[nodiscard]] int driver_version() const override {
    int version = 0;
    return cudaDriverGetVersion(&version) == cudaSuccess ? version : 0;
  }
  [[nodiscard]] int runtime_version() const override { return CUDART_VERSION; }

  [[nodiscard]] Result<std::vector<CardInfo>> list() const override {
    int count = 0;
    const cudaError_t error = cudaGetDeviceCount(&count);
    if (error == cudaErrorInsufficientDriver && driver_version() != 0)
      return driver_too_old(driver_version(), runtime_version());
    if (error == cudaErrorNoDevice || error == cudaErrorInsufficientDriver ||
        (error == cudaSuccess && count == 0))
      return no_card(driver_version());
    MUSTER_TRY_STATUS(checked(error, "looking for it"));
    std::vector<CardInfo> cards;
    for (int index = 0; index < count; ++index) {
      MUSTER_TRY(CardInfo info, describe(index));
      cards.push_back(std::move(info));
    }
    return cards;
  }

  [[nodiscard]] Result<std::unique_ptr<Card>> open(int index) const override {
    MUSTER_TRY(const std::vector<CardInfo> cards, list());
    if (index < 0 || static_cast<std::size_t>(index) >= cards.size())
      return no_such_card(index, static_cast<int>(cards.size()));
    const CardInfo& info = cards[static_cast<std::size_t>(index)];
    if (info.capability_major < kOldestCapabilityMajor)
      return card_too_old(info.name, info.capability_major, info.capability_minor);
    MUSTER_TRY(auto context, CardContext::open(info));
    return std::unique_ptr<Card>(std::make_unique<OpenCard>(std::move(context)));
  }
  [[nodiscard]] Result<GroupId> make_group_id() const override { return make_nccl_id(); }

 private:
  static Result<CardInfo> describe(int index) {
    cudaDeviceProp properties{};
    MUSTER_TRY_STATUS(
        checked(cudaGetDeviceProperties(&properties, index), "asking for its properties"));
    CardInfo info{index,
                  properties.name,
                  properties.major,
                  properties.minor,
                  properties.multiProcessorCount,
                  properties.totalGlobalMem,
                  0};
    std::size_t free = 0, all = 0;
    MUSTER_TRY_STATUS(checked(cudaSetDevice(index), "choosing it"));
    MUSTER_TRY_STATUS(checked(cudaMemGetInfo(&free, &all), "asking for its memory"));
    info.free_bytes = free;
    return info;
  }
};

}  // namespace
}  // namespace muster::gpu

extern "C" __attribute__((visibility("default"))) const muster::gpu::Cards* muster_make_cards(
    int abi) {
  return abi == muster::gpu::kCardsAbi ? new muster::gpu::InstalledCards : nullptr;
}
