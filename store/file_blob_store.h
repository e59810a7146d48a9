// FileBlobStore: blobs as files named by their id, in 256 folders by its first byte.
//
// A blob appears under its name only when it is whole, verified and synced. Unfinished uploads live
// in partial/, each under its owner's name, and survive a restart. Thread safety: all members; the
// pieces of one upload come from one thread.
#pragma once

#include <filesystem>
#include <mutex>

#include "wire/blob_store.h"

namespace muster::store {

class FileBlobStore final : public wire::BlobStore {
 public:
  // Creates the folder when missing. Errors: kIo, kNoSpace, kPermission.
  [[nodiscard]] static Result<std::unique_ptr<FileBlobStore>> open(
      const std::filesystem::path& folder);

  Status put(const Hash& id, ByteSpan blob) override;
  Result<std::uint64_t> size(const Hash& id) const override;
  Result<Bytes> read(const Hash& id, std::uint64_t offset, std::size_t length) const override;
  Result<std::vector<Hash>> list() const override;
  void drop(const Hash& id) override;
  std::uint64_t partial_size(const PublicKey& owner, const Hash& id) const override;
  Status append(const PublicKey& owner, const Hash& id, ByteSpan piece) override;
  Status finish(const PublicKey& owner, const Hash& id) override;
  void drop_partial(const PublicKey& owner, const Hash& id) override;
  void drop_partials() override;

  // The whole blob. Errors: kNotFound, kIo.
  [[nodiscard]] Result<Bytes> get(const Hash& id) const;

 private:
  explicit FileBlobStore(std::filesystem::path folder) : folder_(std::move(folder)) {}
  [[nodiscard]] std::filesystem::path path_of(const Hash& id) const;
  [[nodiscard]] std::filesystem::path partial_path(const PublicKey& owner, const Hash& id) const;
  std::filesystem::path folder_;
  std::mutex mutex_;  // of put: two writers of one blob would share its temporary file
};

}  // namespace muster::store
