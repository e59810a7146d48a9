// Batches of token sequences as tensors. Thread safety: const.
#pragma once

#include <ATen/ATen.h>

#include "state/model_spec.h"
#include "trainer/data/token_file.h"

namespace muster::trainer {

class Data {
 public:
  Data(TokenFile file, const state::ModelSpec& model)
      : file_(std::move(file)), context_(model.context), vocab_(model.vocab) {}
  // int64 [ids.size(), T + 1]. Errors: kNotFound (a sequence that the file does not have),
  // kInvalidArgument (a token that the model does not have).
  [[nodiscard]] Result<at::Tensor> batch(std::span<const std::uint64_t> ids) const;
  [[nodiscard]] std::uint64_t sequences() const { return file_.sequences(context_); }

 private:
  TokenFile file_;
  std::uint32_t context_, vocab_;
};

}  // namespace muster::trainer
