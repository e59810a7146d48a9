// A blob store in memory, for tests of the transfer. The "id" of a blob is the SHA-256 of its
// bytes.
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
    if (!can_read) return Error{Errc::kNoDescriptors, "too many open files"};
    const Bytes& blob = blobs.at(id);
    const auto end = std::min<std::uint64_t>(blob.size(), offset + length);
    return Bytes(blob.begin() + static_cast<std::ptrdiff_t>(offset),
                 blob.begin() + static_cast<std::ptrdiff_t>(end));
  }
  Result<std::vector<Hash>> list() const override {
    std::vector<Hash> ids;
    for (const auto& [id, blob] : blobs) ids.push_back(id);
    return ids;
  }
  std::uint64_t partial_size(const PublicKey& owner, const Hash& id) const override {
    const auto found = partials.find({owner, id});
    return found == partials.end() ? 0 : found->second.size();
  }
  Status append(const PublicKey& owner, const Hash& id, ByteSpan piece) override {
    if (room < piece.size()) return Error{Errc::kNoSpace, "the disk is full"};
    room -= piece.size();
    Bytes& partial = partials[{owner, id}];
    partial.insert(partial.end(), piece.begin(), piece.end());
    return {};
  }
  Status finish(const PublicKey& owner, const Hash& id) override {
    if (!can_finish) return Error{Errc::kNoDescriptors, "too many open files"};
    const Bytes blob = std::move(partials[{owner, id}]);
    partials.erase({owner, id});
    return put(id, blob);
  }
  void drop(const Hash& id) override { blobs.erase(id); }
  void drop_partial(const PublicKey& owner, const Hash& id) override {
    partials.erase({owner, id});
  }
  void drop_partials() override { partials.clear(); }

  std::map<Hash, Bytes> blobs;
  std::map<std::pair<PublicKey, Hash>, Bytes> partials;
  std::uint64_t room = UINT64_MAX;  // for pieces of uploads
  bool can_finish = true, can_read = true;
};

}  // namespace muster::wire
