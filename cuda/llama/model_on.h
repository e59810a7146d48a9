// ModelOn: a TrainableModel on a backend (see passes.h): buffers, batches of any size, the step.
//
// Besides what passes ask for a backend has
//   name()                    of its card, in compute_class()
//   make_floats(count)        a FloatArray of zeros; Errors: kTooLarge, kIo
//   write(array, values), read(array, values)   from and to the host; Error: kIo
//   zero(numbers, count)      in order with the tasks
//   finish()                  waits; Error: kIo, what went wrong since the last time
//   Staged<X>, stage<X>(count)   memory of the host that write() need not wait for; values() until
//   the next finish() repeat(key, work)         does work(), or what work() did for this key
//   before, which is the same; Error: kIo forget()                  what repeat() may not do again:
//   memory moves enter()                   makes this thread's calls go to its card; Error: kIo
// and for several ranks
//   note(status)              keeps the first error for finish()
//   aside(collective, work)   does work(), tasks and calls of the collective, beside the tasks that
//   follow: when those
//                             before it are done, and one such work after the other; returns its
//                             end, a Mark
//   wait(mark)                what follows comes after it
// Calls of a collective that are not aside are in order with the tasks.
// Thread safety: one owner.
#pragma once

#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "cuda/gpu.h"
#include "cuda/llama/muon_on.h"
#include "cuda/llama/occurrences.h"
#include "cuda/llama/optimizer_tasks.h"
#include "cuda/llama/passes.h"
#include "cuda/llama/shard.h"
#include "model/rotary.h"

namespace muster::gpu {

// What AdamW moves: the whole layout, or what Muon leaves of it, in chunks of one kind.
[[nodiscard]] std::vector<AdamwChunk> adamw_chunks(const compression::Layout& layout,
                                                   const OptimizerConfig& optimizer);

template <class T, class Backend>
class ModelOn final : public TrainableModel {
 public:
  // Errors: kInvalidArgument, kTooLarge, kIo.
  [[nodiscard]] static Result<std::unique_ptr<TrainableModel>> make(
      std::unique_ptr<Backend> backend, const ModelSettings& settings) {
    MUSTER_TRY_STATUS(check_model(settings.spec));
    MUSTER_CHECK(settings.sequences > 0, "at least one sequence at a time");
    std::unique_ptr<ModelOn> model(new ModelOn(std::move(backend), settings));
    MUSTER_TRY_STATUS(model->reserve(settings));
    return std::unique_ptr<TrainableModel>(std::move(model));
  }

  [[nodiscard]] const state::ModelSpec& spec() const override { return spec_; }
  [[nodiscard]] std::uint32_t sequences_at_once() const override { return sequences_; }
  [[nodiscard]] std::string compute_class() const override {
    return "cuda/" + backend_->name() + (kRounds ? "/bf16" : "/fp32");
  }
  [[nodiscard]] FloatArray& parameters() override { return *theta_; }
  [[nodiscard]] FloatArray& gradient() override { return *gradient_; }
  [[nodiscard]] std::vector<NamedArray> optimizer_arrays() override {
    if (first_ == nullptr) return {};
    std::vector<NamedArray> arrays{{"adamw.first", first_.get()}, {"adamw.second", second_.get()}};
    if (muon_) arrays.push_back({"muon.momentum", &muon_->momentum()});
    return arrays;
  }

  [[nodiscard]] Status parameters_changed() override {
    MUSTER_TRY_STATUS(backend_->enter());
    if (kRounds || (shard_ && shard_->own_weights() != nullptr))
      backend_->run(RoundTask<T>{theta_->device_data(), own_weights(), theta_->size()},
                    element_blocks(theta_->size()));
    if (shard_) shard_->publish(theta_->device_data());
    return backend_->finish();
  }
  [[nodiscard]] Status load(std::span<const float> theta) override {
    if (theta_->size() > 0)
      MUSTER_TRY_STATUS(theta_->write(shard_ ? part_of(theta, shard_->own()) : theta));
    return parameters_changed();
  }

  [[nodiscard]] Result<StepOutcome> step(std::span<const std::int32_t> tokens,
                                         const StepSettings& settings) override {
    MUSTER_CHECK(first_ != nullptr, "a step of a model without an optimizer");
    const auto t = static_cast<double>(settings.number);
    return take(tokens, settings.batch, true,
                {.learning_rate = static_cast<float>(settings.learning_rate),
                 .correction1 = correction(optimizer_.beta1, t),
                 .correction2 = correction(optimizer_.beta2, t),
                 .clip = static_cast<float>(settings.clip),
                 .loss_limit = settings.loss_limit,
                 .norm_limit = settings.norm_limit});
  }
  using TrainableModel::compute_gradient;
  [[nodiscard]] Result<StepOutcome> compute_gradient(std::span<const std::int32_t> tokens,
                                                     const SharedBatch& batch) override {
    return take(tokens, batch, false, {});
  }
  [[nodiscard]] Status compute_window_gradient(std::span<const std::int32_t> tokens,
                                               std::uint32_t first, std::uint32_t end) override {
    MUSTER_CHECK(first < end && end <= spec_.context && !shard_,
                 "a window outside its sequence, or of several ranks");
    MUSTER_TRY_STATUS(set_window(
        {first, end, static_cast<float>(spec_.context) / static_cast<float>(end - first)}));
    const auto outcome = take(tokens, {}, false, {});
    MUSTER_TRY_STATUS(set_window({}));
    return outcome ? Status() : Status(outcome.error());
  }

  [[nodiscard]] Status losses(std::span<const std::int32_t> tokens,
                              std::span<float> losses) override {
    const std::size_t row = spec_.context + std::size_t{1};
    MUSTER_CHECK(tokens.size() == losses.size() * row, "tokens that are not whole sequences");
    MUSTER_TRY_STATUS(backend_->enter());
    for (std::size_t first = 0; first < losses.size(); first += sequences_) {
      const std::size_t count = std::min<std::size_t>(sequences_, losses.size() - first);
      check_tokens(tokens.subspan(first * row, count * row));
      MUSTER_TRY_STATUS(make_room(1));
      MUSTER_TRY_STATUS(backend_->write(tokens_, tokens.subspan(first * row, count * row)));
      with_parts(true, [&](auto& parts) {
        passes_->losses(parts, {tokens_.data(), spec_.context}, count);
      });
      backend_->run(MeanTask{passes_->token_losses(), spec_.context, sequence_losses_.data()},
                    count);
      MUSTER_TRY_STATUS(backend_->finish());
      MUSTER_TRY_STATUS(backend_->read(sequence_losses_, losses.subspan(first, count)));
    }
    return {};
  }

 private:
  // Tokens that go through a model together: enough to fill a card, and no more than activations
  // have room for.
  static constexpr std::uint32_t kTokensMax = 65536;
  static constexpr bool kRounds = std::is_same_v<T, Bf16>;
  template <class X>
  using Array = typename Backend::template Array<X>;

  ModelOn(std::unique_ptr<Backend> backend, const ModelSettings& settings)
      : backend_(std::move(backend)),
        spec_(settings.spec),
        shape_(settings.spec),
        sequences_(std::max(1u, std::min(settings.sequences, kTokensMax / settings.spec.context))),
        optimizer_(settings.optimizer) {}

  // 1 − β^t of the β that the card reckons with.
  static float correction(double beta, double t) {
    return static_cast<float>(1 - std::pow(static_cast<double>(static_cast<float>(beta)), t));
  }

  [[nodiscard]] std::size_t tokens_at_once() const {
    return std::size_t{sequences_} * spec_.context;
  }
  // What products read of this rank's range; null where that is θ itself.
  [[nodiscard]] T* own_weights() { return shard_ ? shard_->own_weights() : rounded_.data(); }
  // The model as passes see it, its gradient that of a step's first pass or of a later one.
  template <class Work>
  void with_parts(bool is_first, const Work& work) {
    if (shard_) {
      ShardParts<T, Backend> parts(*shard_, theta_->device_data(), gradient_->device_data(),
                                   is_first);
      work(parts);
      parts.join();
    } else {
      const T* weights = nullptr;
      if constexpr (kRounds)
        weights = rounded_.data();
      else
        weights = theta_->device_data();
      WholeParts<T> parts{shape_, theta_->device_data(), weights, gradient_->device_data()};
      work(parts);
    }
  }

  Status reserve(const ModelSettings& settings) {
    MUSTER_TRY_STATUS(backend_->enter());
    auto layout = state::layout_of(spec_);
    if (settings.shard.collective != nullptr) {
      MUSTER_TRY(auto shard, (Shard<T, Backend>::make(*backend_, spec_, settings.shard)));
      shard_.emplace(std::move(shard));
      layout =
          shard_->own().empty() ? compression::Layout() : compression::slice(layout, shard_->own());
    }
    const std::uint64_t parameters = layout.parameters();
    MUSTER_TRY(theta_, backend_->make_floats(parameters));
    MUSTER_TRY(gradient_, backend_->make_floats(parameters));
    if (settings.has_optimizer) {
      const auto chunks = adamw_chunks(layout, optimizer_);
      const std::uint64_t moments =
          chunks.empty() ? 0 : chunks.back().state_offset + chunks.back().elements;
      MUSTER_TRY(first_, backend_->make_floats(moments));
      MUSTER_TRY(second_, backend_->make_floats(moments));
      if (optimizer_.kind == OptimizerKind::kMuon) {
        MUSTER_TRY(auto muon, (MuonOn<T, Backend>::make(*backend_, layout)));
        muon_.emplace(std::move(muon));
      }
      MUSTER_TRY(chunks_, backend_->template allocate<AdamwChunk>(chunks.size()));
      MUSTER_TRY_STATUS(backend_->write(chunks_, std::span<const AdamwChunk>(chunks)));
      adamw_blocks_ = chunks.size();
    }
    if (kRounds && !shard_) {
      MUSTER_TRY(rounded_, backend_->template allocate<T>(parameters));
    }
    const model::Rotary rotary(spec_, spec_.context);
    const std::size_t angles = spec_.context * (spec_.d_model / spec_.heads / std::size_t{2});
    MUSTER_TRY(cosines_, backend_->template allocate<float>(angles));
    MUSTER_TRY(sines_, backend_->template allocate<float>(angles));
    MUSTER_TRY_STATUS(backend_->write(cosines_, std::span(rotary.cosines(), angles)));
    MUSTER_TRY_STATUS(backend_->write(sines_, std::span(rotary.sines(), angles)));
    MUSTER_TRY(squares_, backend_->template allocate<double>(chunk_count(parameters)));
    MUSTER_TRY(input_, backend_->template allocate<StepInput>(1));
    MUSTER_TRY(window_, backend_->template allocate<DeviceWindow>(1));
    MUSTER_TRY_STATUS(set_window({}));
    MUSTER_TRY(result_, backend_->template allocate<StepResult>(1));
    MUSTER_TRY(occurring_, backend_->template allocate<std::uint32_t>(1 + 3 * tokens_at_once()));
    MUSTER_TRY(staged_, backend_->template stage<std::uint32_t>(1 + 3 * tokens_at_once()));
    MUSTER_TRY(sequence_losses_, backend_->template allocate<float>(sequences_));
    MUSTER_TRY(auto passes, (Passes<T, Backend>::make(*backend_, spec_, sequences_, true,
                                                      cosines_.data(), sines_.data())));
    passes_.emplace(std::move(passes));
    MUSTER_TRY_STATUS(make_room(1));
    // Of several ranks one may have failed to come here.
    return shard_ ? Status() : parameters_changed();
  }

  // For tokens of so many passes.
  Status make_room(std::size_t passes) {
    if (passes <= pass_room_) return {};
    backend_->forget();
    MUSTER_TRY(tokens_, backend_->template allocate<std::int32_t>(
                            passes * sequences_ * (spec_.context + std::size_t{1})));
    MUSTER_TRY(pass_losses_, backend_->template allocate<double>(passes));
    pass_room_ = passes;
    return {};
  }

  void check_tokens(std::span<const std::int32_t> tokens) const {
    for (const std::int32_t token : tokens)
      MUSTER_CHECK(token >= 0 && static_cast<std::uint32_t>(token) < spec_.vocab,
                   "a token outside the vocabulary");
  }

  Status set_window(const DeviceWindow& window) {
    MUSTER_TRY_STATUS(backend_->enter());
    return backend_->write(window_, std::span(&window, 1));
  }

  // Which sequences a pass is of, and how much they count.
  struct PassPlan {
    std::size_t first = 0, count = 0;
    double share = 0;
  };
  struct Batch {
    std::size_t sequences = 0, passes = 0;
    std::uint64_t all_sequences = 0;  // of all ranks
    [[nodiscard]] PassPlan plan(std::size_t pass, std::size_t at_once) const {
      const std::size_t first = pass * at_once;
      // What takes part for others' sake alone adds zeros.
      if (first >= sequences) return {0, 1, 0};
      const std::size_t count = std::min(at_once, sequences - first);
      return {first, count, static_cast<double>(count) / static_cast<double>(all_sequences)};
    }
    bool operator==(const Batch&) const = default;
  };
  [[nodiscard]] Batch batch_of(std::size_t sequences, const SharedBatch& shared) {
    const std::size_t own_passes = (sequences + sequences_ - 1) / sequences_;
    const Batch batch{sequences, shared.passes == 0 ? own_passes : shared.passes,
                      shared.sequences == 0 ? sequences : shared.sequences};
    MUSTER_CHECK(batch.passes >= own_passes && batch.all_sequences >= sequences,
                 "less than this rank's alone");
    if (!shard_) return batch;
    const auto known = batches_.try_emplace(batch.all_sequences, batch).first;
    MUSTER_CHECK(known->second == batch, "a batch of a size that was dealt out otherwise before");
    return batch;
  }

  Result<StepOutcome> take(std::span<const std::int32_t> tokens, const SharedBatch& shared,
                           bool moves, const StepInput& input) {
    const std::size_t row = spec_.context + std::size_t{1};
    MUSTER_CHECK(!tokens.empty() && tokens.size() % row == 0,
                 "tokens that are not whole sequences");
    const Batch batch = batch_of(tokens.size() / row, shared);
    MUSTER_TRY_STATUS(backend_->enter());
    check_tokens(tokens);
    MUSTER_TRY_STATUS(make_room(batch.passes));
    MUSTER_TRY_STATUS(backend_->write(tokens_, tokens));
    MUSTER_TRY_STATUS(backend_->write(input_, std::span(&input, 1)));
    const auto key_of = [&](std::size_t pass, std::size_t work) {
      return typename Backend::Key{batch.sequences, batch.passes, batch.all_sequences, pass, work};
    };
    for (std::size_t pass = 0; pass < batch.passes; ++pass) {
      const PassPlan plan = batch.plan(pass, sequences_);
      MUSTER_TRY_STATUS(backend_->repeat(key_of(pass, 0), [&] { add_pass(pass, plan); }));
      // While the card is at it.
      MUSTER_TRY_STATUS(upload_occurrences(tokens.subspan(plan.first * row, plan.count * row)));
      const bool is_last = pass + 1 == batch.passes;
      MUSTER_TRY_STATUS(backend_->repeat(key_of(pass, moves ? 1 : 2), [&] {
        with_parts(pass == 0, [&](auto& parts) {
          passes_->add_embedding_gradient(parts, occurrences(), plan.count);
        });
        if (is_last) conclude(batch.passes, moves);
      }));
    }
    StepResult result;
    MUSTER_TRY_STATUS(backend_->finish());
    is_staged_ = false;
    MUSTER_TRY_STATUS(backend_->read(result_, std::span(&result, 1)));
    return StepOutcome{result.loss, result.norm, result.applied != 0};
  }

  // The count, then tokens, ends and rows, each with room for one of every token of a pass.
  Status upload_occurrences(std::span<const std::int32_t> tokens) {
    const auto found = occurrences_of(tokens, spec_.context, spec_.vocab);
    const std::size_t M = tokens_at_once();
    const auto to = staged_.values();
    // What was staged for the pass before has been read.
    if (is_staged_) MUSTER_TRY_STATUS(backend_->finish());
    is_staged_ = true;
    to[0] = static_cast<std::uint32_t>(found.tokens.size());
    std::copy(found.tokens.begin(), found.tokens.end(), to.begin() + 1);
    std::copy(found.ends.begin(), found.ends.end(),
              to.begin() + static_cast<std::ptrdiff_t>(1 + M));
    std::copy(found.rows.begin(), found.rows.end(),
              to.begin() + static_cast<std::ptrdiff_t>(1 + 2 * M));
    return backend_->write(occurring_, std::span<const std::uint32_t>(to));
  }
  [[nodiscard]] DeviceOccurrences occurrences() {
    const std::uint32_t* at = occurring_.data();
    const std::size_t M = tokens_at_once();
    return {at, at + 1, at + 1 + M, at + 1 + 2 * M};
  }

  void add_pass(std::size_t pass, const PassPlan& plan) {
    const std::int32_t* tokens = tokens_.data() + plan.first * (spec_.context + std::size_t{1});
    if (pass == 0 && !shard_) backend_->zero(gradient_->device_data(), gradient_->size());
    with_parts(pass == 0, [&](auto& parts) {
      passes_->add_gradient(parts, {tokens, spec_.context, window_.data()}, plan.count,
                            static_cast<float>(plan.share));
    });
    backend_->run(MeanTask{passes_->token_losses(), plan.count * spec_.context, nullptr,
                           pass_losses_.data() + pass, plan.share},
                  1);
  }

  void conclude(std::size_t pass_count, bool moves) {
    const std::uint64_t parameters = theta_->size(), parts = chunk_count(parameters);
    const auto passes = static_cast<std::uint32_t>(pass_count);
    backend_->run(SumSquaresTask{gradient_->device_data(), parameters, squares_.data()}, parts);
    VerdictTask verdict{squares_.data(), parts,         pass_losses_.data(),
                        passes,          input_.data(), result_.data()};
    if (shard_)
      shard_->gather_totals({squares_.data(), parts, pass_losses_.data(), passes}, verdict);
    backend_->run(verdict, 1);
    if (!moves) return;
    Bf16* rounded = nullptr;
    if constexpr (kRounds) rounded = own_weights();
    backend_->run(
        AdamwTask{chunks_.data(), input_.data(), result_.data(), gradient_->device_data(),
                  theta_->device_data(), first_->device_data(), second_->device_data(), rounded,
                  static_cast<float>(optimizer_.beta1), static_cast<float>(optimizer_.beta2),
                  static_cast<float>(optimizer_.epsilon),
                  static_cast<float>(optimizer_.weight_decay)},
        adamw_blocks_);
    if (muon_)
      muon_->step({input_.data(), result_.data(), gradient_->device_data(), theta_->device_data(),
                   rounded, static_cast<float>(optimizer_.momentum),
                   static_cast<float>(optimizer_.weight_decay)});
    if (!shard_) return;
    if (!kRounds && own_weights() != nullptr)
      backend_->run(RoundTask<T>{theta_->device_data(), own_weights(), parameters},
                    element_blocks(parameters));
    shard_->publish(theta_->device_data());
  }

  std::unique_ptr<Backend> backend_;
  state::ModelSpec spec_;
  state::Shape shape_;
  std::uint32_t sequences_;
  OptimizerConfig optimizer_;
  std::unique_ptr<FloatArray> theta_, gradient_, first_, second_;
  Array<T> rounded_;  // of one rank alone: what products read, unless that is θ
  Array<float> cosines_, sines_, sequence_losses_;
  Array<AdamwChunk> chunks_;
  std::size_t adamw_blocks_ = 0;
  Array<double> squares_, pass_losses_;
  Array<StepInput> input_;
  Array<DeviceWindow> window_;
  Array<StepResult> result_;
  std::size_t pass_room_ = 0;
  Array<std::int32_t> tokens_;
  Array<std::uint32_t> occurring_;
  typename Backend::template Staged<std::uint32_t> staged_;
  bool is_staged_ = false;
  std::optional<Passes<T, Backend>> passes_;
  std::optional<MuonOn<T, Backend>> muon_;
  std::optional<Shard<T, Backend>> shard_;
  std::map<std::uint64_t, Batch> batches_;  // of several ranks, by their size
};

}  // namespace muster::gpu
