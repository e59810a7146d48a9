// The factory behind muster_make_trainer, the one symbol of libmuster_trainer.so.
#include "base/prng.h"
#include "trainer/flat_tensor.h"
#include "trainer/inner_loop.h"
#include "trainer/loss_probe.h"
#include "trainer/torch_scope.h"
#include "trainer/trainer.h"

namespace muster::trainer {
namespace {

Result<Data> open_data(const std::filesystem::path& path, const state::ModelSpec& model) {
  MUSTER_TRY(TokenFile file, TokenFile::open(path));
  return Data(std::move(file), model);
}

// Samples from softmax(logits / temperature), or the largest at temperature 0.
std::int64_t choose(const at::Tensor& logits, double temperature, Prng& random) {
  if (temperature <= 0) return logits.argmax().item<std::int64_t>();
  const at::Tensor cumulative = (logits.to(at::kDouble) / temperature).softmax(-1).cumsum(-1);
  const double target = random.uniform() * cumulative[-1].item<double>();
  return std::min<std::int64_t>((cumulative < target).sum().item<std::int64_t>(),
                                logits.size(0) - 1);
}

class LibtorchTrainer final : public Trainer {
 public:
  Result<std::unique_ptr<protocol::InnerLoop>> make_inner_loop(
      const TrainerConfig& config, std::span<const float> parameters) const override {
    MUSTER_TRY_STATUS(state::validate(config.model));
    const TorchScope scope(config.threads);
    MUSTER_TRY(Data data, open_data(config.train_data, config.model));
    return std::unique_ptr<protocol::InnerLoop>(
        std::make_unique<LibtorchInnerLoop>(config, std::move(data), parameters));
  }

  Result<std::unique_ptr<protocol::LossProbe>> make_loss_probe(
      const TrainerConfig& config, std::span<const float> parameters) const override {
    MUSTER_TRY_STATUS(state::validate(config.model));
    const TorchScope scope(config.threads);
    MUSTER_TRY(Data train, open_data(config.train_data, config.model));
    MUSTER_TRY(Data held_out, open_data(config.held_out_data, config.model));
    return std::unique_ptr<protocol::LossProbe>(std::make_unique<LibtorchLossProbe>(
        config, std::move(train), std::move(held_out), parameters));
  }

  Result<std::vector<float>> train_alone(
      const TrainerConfig& config, std::span<const float> parameters,
      std::span<const std::uint64_t> sequences,
      const std::function<void(std::uint32_t, double)>& progress) const override {
    const TorchScope scope(config.threads);
    MUSTER_TRY(const Data data, open_data(config.train_data, config.model));
    const Model model(config.model);
    const at::Tensor trained = tensor_of(parameters);
    AdamW optimizer(config);
    const at::ScalarType type = compute_type(config.compute);
    std::uint32_t step = 0;
    for (; (step + 1) * std::size_t{config.batch} <= sequences.size(); ++step) {
      MUSTER_TRY(const at::Tensor tokens,
                 data.batch(sequences.subspan(step * std::size_t{config.batch}, config.batch)));
      const auto result = loss_and_gradient(model, trained, tokens, type);
      optimizer.step(trained, result.gradient, learning_rate(config.schedule, step));
      progress(step, result.loss);
    }
    const auto values = floats(trained);
    return std::vector<float>(values.begin(), values.end());
  }

  Status generate(const TrainerConfig& config, std::span<const float> parameters,
                  std::span<const std::int64_t> prompt, const GenerateOptions& options,
                  const std::function<void(std::int64_t)>& emit) const override {
    if (prompt.empty()) return Error{Errc::kInvalidArgument, "the prompt is empty"};
    const TorchScope scope(config.threads);
    const Model model(config.model);
    const at::Tensor flat = tensor_of(parameters);
    std::vector<std::int64_t> tokens(prompt.begin(), prompt.end());
    Prng random(options.seed);
    for (std::uint32_t i = 0; i < options.tokens; ++i) {
      const std::size_t window = std::min<std::size_t>(tokens.size(), config.model.context);
      const at::Tensor input =
          at::from_blob(tokens.data() + (tokens.size() - window),
                        {1, static_cast<std::int64_t>(window)}, at::kLong)
              .clone();
      const at::Tensor last = model.logits(flat, input)[0][-1];
      tokens.push_back(choose(last, options.temperature, random));
      emit(tokens.back());
    }
    return {};
  }

  Result<std::vector<float>> logits(const state::ModelSpec& spec, std::span<const float> parameters,
                                    std::span<const std::int64_t> tokens) const override {
    const TorchScope scope(1);
    const Model model(spec);
    std::vector<std::int64_t> copy(tokens.begin(), tokens.end());
    const at::Tensor input = at::from_blob(
        copy.data(), {1, static_cast<std::int64_t>(copy.size())}, at::kLong);
    const at::Tensor result = model.logits(tensor_of(parameters), input).contiguous();
    const auto values = floats(result);
    return std::vector<float>(values.begin(), values.end());
  }
};

}  // namespace
}  // namespace muster::trainer

extern "C" const muster::trainer::Trainer* muster_make_trainer(int abi) {
  if (abi != muster::trainer::kTrainerAbi) return nullptr;
  return new muster::trainer::LibtorchTrainer();
}
