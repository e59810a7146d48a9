#include "coordinator/model_files.h"

#include <algorithm>

#include "compression/segmented_blob.h"

namespace muster::coordinator {
namespace {

Result<protocol::AgreedState> read_state(const compression::Layout& layout,
                                         const wire::BlobStore& blobs, const Hash& id) {
  MUSTER_TRY(const std::uint64_t size, blobs.size(id));
  MUSTER_TRY(const Bytes blob, blobs.read(id, 0, size));
  MUSTER_TRY(const Hash actual, compression::blob_id(blob));
  if (actual != id) return Error{Errc::kBadHash, "checkpoint " + id.brief() + " is damaged"};
  return protocol::decode_state(layout, blob);
}

}  // namespace

Result<std::vector<Hash>> checkpoint_blobs(const protocol::Journal& journal) {
  std::vector<Hash> ids;
  MUSTER_TRY_STATUS(journal.replay(0, [&](Round, ByteSpan record) -> Status {
    MUSTER_TRY(const wire::Envelope envelope, wire::reread_envelope(record));
    if (!is_a(envelope, protocol::MessageType::kCheckpoint)) return {};
    MUSTER_TRY(const auto checkpoint, protocol::read_body<protocol::Checkpoint>(envelope));
    ids.push_back(checkpoint.blob_id);
    return {};
  }));
  return ids;
}

Result<ModelFiles> ModelFiles::open(
    const std::filesystem::path& folder, const compression::Layout& layout,
    const protocol::Journal& journal, const wire::BlobStore& blobs,
    const std::function<Result<std::vector<float>>()>& initial_theta) {
  const std::uint64_t bytes = layout.parameters() * sizeof(float);
  MUSTER_TRY(auto theta, MappedFile::create(folder / "theta.f32", bytes));
  MUSTER_TRY(auto residual, MappedFile::create(folder / "downlink_residual.f32", bytes));
  ModelFiles files(std::move(theta), std::move(residual));

  MUSTER_TRY(const auto ids, checkpoint_blobs(journal));
  for (auto id = ids.rbegin(); id != ids.rend() && !files.head_; ++id) {
    auto state = read_state(layout, blobs, *id);
    if (!state) continue;  // an older one, or the rounds themselves, do as well
    std::copy(state->theta.begin(), state->theta.end(), files.theta().begin());
    std::copy(state->downlink_residual.begin(), state->downlink_residual.end(),
              files.downlink_residual().begin());
    files.head_ = std::move(state->head);
  }
  if (!files.head_) {
    MUSTER_TRY(const auto initial, initial_theta());
    std::copy(initial.begin(), initial.end(), files.theta().begin());
    std::fill(files.downlink_residual().begin(), files.downlink_residual().end(), 0.0f);
  }
  return files;
}

}  // namespace muster::coordinator
