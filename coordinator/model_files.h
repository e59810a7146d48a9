// ModelFiles: the coordinator's θ and downlink residual as memory-mapped working files.
//
// The files are scratch: what counts is the journal and the newest checkpoint, from which opening
// makes them anew. Mapped, a model larger than the memory works, and nothing is copied. Thread
// safety: none.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "base/file.h"
#include "protocol/checkpoint.h"
#include "protocol/journal.h"
#include "wire/blob_store.h"

namespace muster::coordinator {

class ModelFiles {
 public:
  // Fills both files from the newest checkpoint in the journal whose blob is there and whole, or
  // from the initial model. Errors: kNoSpace, kIo, those of initial_theta.
  [[nodiscard]] static Result<ModelFiles> open(
      const std::filesystem::path& folder, const compression::Layout& layout,
      const protocol::Journal& journal, const wire::BlobStore& blobs,
      const std::function<Result<std::vector<float>>()>& initial_theta);

  [[nodiscard]] std::span<float> theta() { return floats(theta_); }
  [[nodiscard]] std::span<float> downlink_residual() { return floats(residual_); }
  // The head of the checkpoint that the files were filled from; none: the initial model.
  [[nodiscard]] const std::optional<protocol::HeadState>& checkpoint() const { return head_; }

 private:
  ModelFiles(MappedFile theta, MappedFile residual)
      : theta_(std::move(theta)), residual_(std::move(residual)) {}
  static std::span<float> floats(MappedFile& file) {
    return {reinterpret_cast<float*>(file.writable().data()), file.bytes().size() / sizeof(float)};
  }
  MappedFile theta_;
  MappedFile residual_;
  std::optional<protocol::HeadState> head_;
};

// The checkpoint blobs that a journal names, oldest first.
[[nodiscard]] Result<std::vector<Hash>> checkpoint_blobs(const protocol::Journal& journal);

}  // namespace muster::coordinator
