// Ranks, as threads of one test, that train one model with a card's passes played by the host.
#pragma once

#include "tests/cuda/llama/example.h"
#include "tests/cuda/llama/host_backend.h"
#include "tests/trainer/ranks/ranks_as_threads.h"
#include "trainer/ranks/shard_plan.h"

namespace muster::gpu {

struct ShardedSetting {
  unsigned ranks = 2;
  bool shards_parameters = false, has_muon = false, tied = true;
  Compute compute = Compute::kFloat32;
  std::uint32_t layers = 3, at_once = 1;
  std::size_t sequences = 5;  // of a step, dealt out one by one
  bool defers = false;        // what is done aside; see HostBackend
};

inline std::string name_of(const ShardedSetting& setting) {
  return std::to_string(setting.ranks) +
         (setting.shards_parameters ? "_everything" : "_optimizer") +
         (setting.has_muon ? "_muon" : "_adamw") + (setting.tied ? "_tied" : "_untied") +
         (setting.compute == Compute::kFloat32 ? "_fp32" : "_bf16");
}
inline void PrintTo(const ShardedSetting& setting, std::ostream* out) { *out << name_of(setting); }

inline LlamaExample example_of(const ShardedSetting& setting) {
  return LlamaExample({.d_model = 64,
                       .layers = setting.layers,
                       .heads = 2,
                       .kv_heads = 1,
                       .d_ff = 72,
                       .context = 24,
                       .vocab = 104,
                       .tied = setting.tied},
                      setting.sequences);
}

// A rank's model, or that of one which is alone, told of the bytes that it allocates.
inline std::unique_ptr<TrainableModel> make_host_model(const LlamaExample& example,
                                                       const ShardedSetting& setting,
                                                       const ShardSettings& shard,
                                                       std::uint64_t* bytes = nullptr) {
  const ModelSettings settings{
      .spec = example.model,
      .sequences = setting.at_once,
      .compute = setting.compute,
      .optimizer = {.kind = setting.has_muon ? OptimizerKind::kMuon : OptimizerKind::kAdamW},
      .shard = shard};
  auto backend = std::make_unique<HostBackend>(bytes, setting.defers);
  auto made = setting.compute == Compute::kFloat32
                  ? ModelOn<float, HostBackend>::make(std::move(backend), settings)
                  : ModelOn<Bf16, HostBackend>::make(std::move(backend), settings);
  MUSTER_CHECK(made.has_value(), made ? "" : made.error().message);
  return std::move(made).value();
}

inline std::vector<float> numbers_in(const FloatArray& array) {
  std::vector<float> values(array.size());
  array.read(values).value();
  return values;
}
inline void set_parameters(TrainableModel& model, std::span<const float> theta) {
  model.parameters().write(theta).value();
  model.parameters_changed().value();
}

inline StepSettings step_settings(std::uint64_t number) {
  return {.learning_rate = 3e-3f,
          .number = number,
          .clip = 1,
          .loss_limit = INFINITY,
          .norm_limit = INFINITY};
}

// One rank of a training, whose parameters are the example's.
struct Rank {
  Collective& collective;
  const LlamaExample& example;
  Range own;
  std::vector<std::int32_t> tokens;
  SharedBatch batch;
  std::uint64_t allocated_bytes = 0;
  std::unique_ptr<TrainableModel> model;

  Rank(Collective& together, const LlamaExample& of, const ShardedSetting& setting,
       const std::vector<Range>& owned)
      : collective(together), example(of), own(owned[together.rank()]) {
    const std::size_t row = example.model.context + std::size_t{1};
    for (std::size_t s = collective.rank(); s < example.sequences; s += collective.size())
      tokens.insert(tokens.end(), example.tokens.begin() + static_cast<std::ptrdiff_t>(s * row),
                    example.tokens.begin() + static_cast<std::ptrdiff_t>((s + 1) * row));
    const std::size_t most = (example.sequences + collective.size() - 1) / collective.size();
    batch = {example.sequences,
             static_cast<std::uint32_t>((most + setting.at_once - 1) / setting.at_once)};
    model = make_host_model(
        example, setting,
        {.collective = &collective, .owned = owned, .shards_parameters = setting.shards_parameters},
        &allocated_bytes);
    set_parameters(*model, part_of(std::span(example.theta), own));
  }

  [[nodiscard]] Result<StepOutcome> step(std::uint64_t number) const {
    StepSettings settings = step_settings(number);
    settings.batch = batch;
    return model->step(tokens, settings);
  }
};

inline std::vector<Range> owned_by(const ShardedSetting& setting, const LlamaExample& example) {
  const auto kind = setting.has_muon ? OptimizerKind::kMuon : OptimizerKind::kAdamW;
  return trainer::make_shard_plan(state::layout_of(example.model), kind, setting.ranks).optimized;
}

// Calls rank_main(rank) on a thread for each rank.
template <class Main>
void train_sharded(const ShardedSetting& setting, const LlamaExample& example,
                   const std::vector<Range>& owned, const Main& rank_main) {
  trainer::run_ranks(setting.ranks, [&](Collective& collective) {
    Rank rank(collective, example, setting, owned);
    rank_main(rank);
  });
}

// What several ranks have, put together; the union of what each has.
class Union {
 public:
  explicit Union(std::size_t count) : values_(count, NAN) {}
  void put(const Range& where, const FloatArray& array) {
    array.read(part_of(std::span(values_), where)).value();  // no two ranks' ranges overlap
  }
  [[nodiscard]] const std::vector<float>& values() const { return values_; }

 private:
  std::vector<float> values_;
};

}  // namespace muster::gpu
