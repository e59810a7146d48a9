#include "trainer/llama/llama.h"

#include <algorithm>

#include "trainer/llama/decoder_stack.h"
#include "trainer/llama/output_head.h"

namespace muster::trainer {
namespace {

constexpr std::size_t kTokensAtOnce = 4096;  // of a pass that only measures losses

template <class T>
class LlamaOn final : public Llama {
 public:
  LlamaOn(const state::ModelSpec& spec, const ComputeOptions& options, Team& team, const Kernels<T>& kernels)
      : kernels_(kernels),
        matmul_(make_panel_matmul<T>(kernels, team)),
        stack_(spec, kernels, team, *matmul_, options.recompute),
        head_(kernels, team, *matmul_) {}

  double add_gradient(std::span<const float> theta, std::span<const std::int32_t> tokens, float scale,
                      std::span<float> gradient) override {
    MUSTER_CHECK(theta.size() == shape().parameters && gradient.size() == theta.size(), "numbers of another model");
    const TokenBatch batch = batch_of(tokens, shape().context + 1);
    const std::size_t M = batch.count();
    stack_.forward(theta.data(), batch, true);
    head_.backward(head(theta), stack_.output(), M, targets(batch), scale / static_cast<float>(M),
                   stack_.token_losses(), stack_.d_output(), gradient.data() + shape().head);
    stack_.backward(theta.data(), batch, gradient.data());
    return mean(stack_.token_losses(), M);
  }

  void losses(std::span<const float> theta, std::span<const std::int32_t> tokens, std::span<float> losses) override {
    MUSTER_CHECK(theta.size() == shape().parameters, "numbers of another model");
    const std::size_t row = shape().context + 1, at_once = std::max<std::size_t>(1, kTokensAtOnce / row);
    MUSTER_CHECK(tokens.size() == losses.size() * row, "tokens that are not whole sequences");
    for (std::size_t first = 0; first < losses.size(); first += at_once) {
      const std::size_t count = std::min(at_once, losses.size() - first);
      const TokenBatch batch = batch_of(tokens.subspan(first * row, count * row), row);
      stack_.forward(theta.data(), batch, false);
      head_.losses(head(theta), stack_.output(), batch.count(), targets(batch), stack_.token_losses());
      for (std::size_t i = 0; i < count; ++i)
        losses[first + i] = static_cast<float>(mean(stack_.token_losses() + i * batch.length, batch.length));
    }
  }

  std::vector<float> logits(std::span<const float> theta, std::span<const std::int32_t> tokens) override {
    MUSTER_CHECK(!tokens.empty() && tokens.size() <= shape().context, "a sequence longer than the context");
    const TokenBatch batch{tokens.data(), 1, tokens.size(), tokens.size()};
    std::vector<float> result(tokens.size() * shape().vocab);
    stack_.forward(theta.data(), batch, false);
    head_.logits(head(theta), stack_.output(), tokens.size(), result.data());
    return result;
  }

  double flops_per_token() const override {
    const Shape& s = stack_.shape();
    return 6.0 * static_cast<double>(s.matrix_parameters()) +
           6.0 * static_cast<double>(s.layers * s.context * s.width);
  }

  std::string path() const override {
    return std::string(kernels_.name) + (sizeof(T) == sizeof(Bf16) ? "/bf16" : "/fp32");
  }

 private:
  [[nodiscard]] const Shape& shape() const { return stack_.shape(); }
  [[nodiscard]] Weight head(std::span<const float> theta) const {
    return {theta.data() + shape().head, shape().vocab, shape().width};
  }
  static TokenBatch batch_of(std::span<const std::int32_t> tokens, std::size_t row) {
    MUSTER_CHECK(!tokens.empty() && tokens.size() % row == 0, "tokens that are not whole sequences");
    return {tokens.data(), tokens.size() / row, row - 1, row};
  }
  static auto targets(const TokenBatch& batch) {
    return [batch](std::size_t m) {
      return static_cast<std::size_t>(batch.tokens[m / batch.length * batch.stride + m % batch.length + 1]);
    };
  }
  static double mean(const float* values, std::size_t count) {
    double total = 0;
    for (std::size_t i = 0; i < count; ++i) total += static_cast<double>(values[i]);
    return total / static_cast<double>(count);
  }

  const Kernels<T>& kernels_;
  std::unique_ptr<Matmul<T>> matmul_;
  DecoderStack<T> stack_;
  OutputHead<T> head_;
};

}  // namespace

Result<std::unique_ptr<Llama>> Llama::make(const state::ModelSpec& spec, const ComputeOptions& options, Team& team) {
  MUSTER_TRY_STATUS(state::validate(spec));
  const bool native = !available_kernels<Bf16>().empty(), even = spec.d_ff % 2 == 0;
  if (options.compute == Compute::kBfloat16 && !(native && even))
    return Error{Errc::kInvalidArgument,
                 native ? "bf16 needs an even d_ff; make it even or take compute = \"fp32\""
                        : "this CPU does not multiply bf16 (AVX512_BF16); take compute = \"fp32\" or \"auto\""};
  if (options.compute != Compute::kFloat32 && native && even)
    return std::unique_ptr<Llama>(
        std::make_unique<LlamaOn<Bf16>>(spec, options, team, *available_kernels<Bf16>().front()));
  return std::unique_ptr<Llama>(
      std::make_unique<LlamaOn<float>>(spec, options, team, *available_kernels<float>().front()));
}

}  // namespace muster::trainer
