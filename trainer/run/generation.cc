#include "trainer/run/generation.h"

#include <algorithm>
#include <string>
#include <vector>

#include "trainer/llama/decoder.h"

namespace muster::trainer {
namespace {

// Logits behind all of `tokens`, of which the decoder may have seen a beginning.
class Reader {
 public:
  explicit Reader(Decoder& decoder) : decoder_(decoder) {}
  std::span<const float> read(const std::vector<std::int32_t>& tokens) {
    if (decoder_.position() + (tokens.size() - seen_) > decoder_.context()) {
      // A prompt may fill the context; what is generated slides by half, so that not each token
      // reads it all again.
      const std::size_t kept =
          seen_ == 0 ? decoder_.context() : std::max<std::size_t>(1, decoder_.context() / 2);
      decoder_.reset();
      seen_ = tokens.size() - kept;
    }
    std::span<const float> logits;
    for (; seen_ < tokens.size(); ++seen_) logits = decoder_.step(tokens[seen_]);
    return logits;
  }

 private:
  Decoder& decoder_;
  std::size_t seen_ = 0;
};

}  // namespace

Status generate(const state::ModelSpec& model, std::span<const float> theta,
                std::span<const std::int32_t> prompt, const GenerationConfig& config, Team& team,
                const std::function<bool(std::int32_t)>& emit) {
  if (prompt.empty())
    return Error{Errc::kInvalidArgument, "the prompt is empty; give at least one token"};
  for (const std::int32_t token : prompt)
    if (token < 0 || static_cast<std::uint32_t>(token) >= model.vocab)
      return Error{Errc::kInvalidArgument, "the prompt has token " + std::to_string(token) +
                                               ", the model a vocabulary of " +
                                               std::to_string(model.vocab)};
  Decoder decoder(model, theta, team);
  Reader reader(decoder);
  std::vector<std::int32_t> tokens(prompt.begin(), prompt.end());
  Prng random(config.seed);
  for (std::uint32_t i = 0; i < config.tokens; ++i) {
    MUSTER_TRY(const std::uint32_t token, sample(reader.read(tokens), config.sampler, random));
    tokens.push_back(static_cast<std::int32_t>(token));
    if (!emit(tokens.back())) break;
  }
  return {};
}

}  // namespace muster::trainer
