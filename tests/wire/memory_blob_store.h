// A blob store in memory, for tests of the transfer. The "id" of a blob is the SHA-256 of its bytes.
#pragma once

#include <map>

#include "wire/blob_store.h"

namespace muster::wire {

class MemoryBlobStore final : public BlobStore {
 public:
  Status put(const Hash& id, ByteSpan blob) override {
    if (sha256(blob) != id) return Error{Errc::kBadHash, "other content"};
    blobs[id] = Bytes(blob.begin(), blob.end());
    return {};
  }
  Result<std::uint64_t> size(const Hash& id) const override {
    const auto found = blobs.find(id);
    if (found == blobs.end()) return Error{Errc::kNotFound, "no blob"};
    return std::uint64_t{found->second.size()};
  }
  Result<Bytes> read(const Hash& id, std::uint64_t offset, std::size_t length) const override {
    const Bytes& blob = blobs.at(id);
    const auto end = std::min<std::uint64_t>(blob.size(), offset + length);
    return Bytes(blob.begin() + static_cast<std::ptrdiff_t>(offset),
                 blob.begin() + static_cast<std::ptrdiff_t>(end));
  }
  std::uint64_t partial_size(const Hash& id) const override {
    const auto found = partials.find(id);
    return found == partials.end() ? 0 : found->second.size();
  }
  Status append(const Hash& id, ByteSpan piece) override {
    partials[id].insert(partials[id].end(), piece.begin(), piece.end());
    return {};
  }
  Status finish(const Hash& id) override {
    const Bytes blob = std::move(partials[id]);
    partials.erase(id);
    return put(id, blob);
  }
  void drop(const Hash& id) override { blobs.erase(id); }
  void drop_partial(const Hash& id) override { partials.erase(id); }

  std::map<Hash, Bytes> blobs, partials;
};

}  // namespace muster::wire
