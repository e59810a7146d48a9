#include "trainer/llama/llama.h"

#include <algorithm>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "trainer/llama/decoder_stack.h"
#include "trainer/llama/matmul_library.h"
#include "trainer/llama/output_head.h"

namespace muster::trainer {
namespace {

constexpr std::size_t kTokensAtOnce = 4096;  // of a pass that only measures losses

template <class T>
class LlamaOn final : public Llama {
 public:
  LlamaOn(const state::ModelSpec& spec, const ComputeOptions& options, Team& team,
          const Kernels<T>& kernels, std::shared_ptr<const MatmulLibrary> library)
      : kernels_(kernels),
        library_(std::move(library)),
        matmul_(make_matmul(team)),
        stack_(spec, kernels, team, *matmul_, options.recompute),
        head_(kernels, team, *matmul_) {}

  double add_gradient(ModelParts& parts, std::span<const std::int32_t> tokens,
                      float scale) override {
    const TokenBatch batch = batch_of(tokens, shape().context + 1);
    const std::size_t M = batch.count(), head = head_part(shape());
    stack_.forward(parts, batch, true);
    const Weight weight = head_of(parts.parameters(head));
    parts.expect(shape().layers);
    head_.backward(weight, stack_.output(), M, targets(batch), scale / static_cast<float>(M),
                   stack_.token_losses(), stack_.d_output(), head_in(parts.gradient(head)).data());
    if (head == 0) {
      parts.release(head);
      parts.gradient_done(head);
    }
    stack_.backward(parts, batch);
    return mean(stack_.token_losses(), M);
  }

  void add_window_gradient(std::span<const float> theta, std::span<const std::int32_t> tokens,
                           std::size_t first, std::size_t end, std::span<float> gradient) override {
    MUSTER_CHECK(first < end && end < tokens.size(), "a window outside its sequence");
    WholeModel parts(shape(), theta, gradient);
    const TokenBatch batch{tokens.data(), 1, end, end + 1};
    stack_.forward(parts, batch, true);
    const std::size_t D = shape().width, rows = end - first, head = head_part(shape());
    float* d = stack_.d_output();
    std::fill_n(d, first * D, 0.0f);
    const auto target = [next = targets(batch), first](std::size_t row) {
      return next(first + row);
    };
    head_.backward(head_of(parts.parameters(head)), stack_.output() + first * D, rows, target,
                   1.0f / static_cast<float>(rows), stack_.token_losses(), d + first * D,
                   head_in(parts.gradient(head)).data());
    stack_.backward(parts, batch);
  }

  void losses(std::span<const float> theta, std::span<const std::int32_t> tokens,
              std::span<float> losses) override {
    WholeModel whole(shape(), theta, {});
    const Weight head = head_of(whole.parameters(head_part(shape())));
    const std::size_t row = shape().context + 1,
                      at_once = std::max<std::size_t>(1, kTokensAtOnce / row);
    MUSTER_CHECK(tokens.size() == losses.size() * row, "tokens that are not whole sequences");
    for (std::size_t first = 0; first < losses.size(); first += at_once) {
      const std::size_t count = std::min(at_once, losses.size() - first);
      const TokenBatch batch = batch_of(tokens.subspan(first * row, count * row), row);
      stack_.forward(whole, batch, false);
      head_.losses(head, stack_.output(), batch.count(), targets(batch), stack_.token_losses());
      for (std::size_t i = 0; i < count; ++i)
        losses[first + i] =
            static_cast<float>(mean(stack_.token_losses() + i * batch.length, batch.length));
    }
  }

  std::vector<float> logits(std::span<const float> theta,
                            std::span<const std::int32_t> tokens) override {
    MUSTER_CHECK(!tokens.empty() && tokens.size() <= shape().context,
                 "a sequence longer than the context");
    const TokenBatch batch{tokens.data(), 1, tokens.size(), tokens.size()};
    std::vector<float> result(tokens.size() * shape().vocab);
    WholeModel whole(shape(), theta, {});
    stack_.forward(whole, batch, false);
    head_.logits(head_of(whole.parameters(head_part(shape()))), stack_.output(), tokens.size(),
                 result.data());
    return result;
  }

  const Shape& shape() const override { return stack_.shape(); }
  bool stores_bf16() const override { return sizeof(T) == sizeof(Bf16); }

  std::string path() const override {
    return std::string(kernels_.name) + (stores_bf16() ? "/bf16" : "/fp32") +
           (library_ == nullptr ? "/own" : "/libtorch-2.11");
  }

 private:
  // The head within its part.
  template <class X>
  [[nodiscard]] std::span<X> head_in(std::span<X> part) const {
    return part.last(shape().vocab * shape().width);
  }
  [[nodiscard]] Weight head_of(std::span<const float> part) const {
    return {head_in(part).data(), shape().vocab, shape().width};
  }
  static TokenBatch batch_of(std::span<const std::int32_t> tokens, std::size_t row) {
    MUSTER_CHECK(!tokens.empty() && tokens.size() % row == 0,
                 "tokens that are not whole sequences");
    return {tokens.data(), tokens.size() / row, row - 1, row};
  }
  static auto targets(const TokenBatch& batch) {
    return [batch](std::size_t m) {
      return static_cast<std::size_t>(
          batch.tokens[m / batch.length * batch.stride + m % batch.length + 1]);
    };
  }
  static double mean(const float* values, std::size_t count) {
    double total = 0;
    for (std::size_t i = 0; i < count; ++i) total += static_cast<double>(values[i]);
    return total / static_cast<double>(count);
  }

  [[nodiscard]] std::unique_ptr<Matmul<T>> make_matmul(Team& team) const {
    if (library_ == nullptr) return make_panel_matmul<T>(kernels_, team);
    if constexpr (sizeof(T) == sizeof(Bf16))
      return library_->make_bf16(team.size());
    else
      return library_->make_float(team.size());
  }

  const Kernels<T>& kernels_;
  std::shared_ptr<const MatmulLibrary> library_;  // null: our own products
  std::unique_ptr<Matmul<T>> matmul_;
  DecoderStack<T> stack_;
  OutputHead<T> head_;
};

bool has_amx() {
#if defined(__x86_64__)
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  constexpr unsigned kAmxBf16 = 1u << 22;
  return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (edx & kAmxBf16) != 0;
#else
  return false;
#endif
}

// Null for our own products.
Result<std::shared_ptr<const MatmulLibrary>> choose_library(const ComputeOptions& options,
                                                            bool bf16) {
  if (options.matmul == MatmulChoice::kTorch) return load_matmul_library(options.libraries);
  if (options.matmul == MatmulChoice::kAuto && bf16 && has_amx())
    if (auto library = load_matmul_library(options.libraries)) return library;
  return std::shared_ptr<const MatmulLibrary>();
}

}  // namespace

Result<std::unique_ptr<Llama>> Llama::make(const state::ModelSpec& spec,
                                           const ComputeOptions& options, Team& team) {
  MUSTER_TRY_STATUS(state::validate(spec));
  const bool native = !available_kernels<Bf16>().empty(), even = spec.d_ff % 2 == 0;
  if (options.compute == Compute::kBfloat16 && !(native && even))
    return Error{
        Errc::kInvalidArgument,
        native
            ? "bf16 needs an even d_ff; make it even or take compute = \"fp32\""
            : "this CPU does not multiply bf16 (AVX512_BF16); take compute = \"fp32\" or \"auto\""};
  const bool bf16 = options.compute != Compute::kFloat32 && native && even;
  MUSTER_TRY(auto library, choose_library(options, bf16));
  if (bf16)
    return std::unique_ptr<Llama>(std::make_unique<LlamaOn<Bf16>>(
        spec, options, team, *available_kernels<Bf16>().front(), std::move(library)));
  return std::unique_ptr<Llama>(std::make_unique<LlamaOn<float>>(
      spec, options, team, *available_kernels<float>().front(), std::move(library)));
}

}  // namespace muster::trainer
