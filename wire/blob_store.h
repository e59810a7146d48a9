// BlobStore: content-addressed bytes, durable when acknowledged; what blob transfer reads and
// fills.
//
// Thread safety: all members; the pieces of one upload come from one thread.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/result.h"
#include "base/sign.h"

namespace muster::wire {

class BlobStore {
 public:
  virtual ~BlobStore() = default;

  // Stores a whole blob; durable on return. A blob that is there already stays.
  // Errors: kBadHash (not the content of `id`), kMalformed, kNoSpace, kNoDescriptors, kIo.
  [[nodiscard]] virtual Status put(const Hash& id, ByteSpan blob) = 0;
  // Errors: kNotFound, kIo.
  [[nodiscard]] virtual Result<std::uint64_t> size(const Hash& id) const = 0;
  // Up to `length` bytes from `offset`; fewer only at the end. Errors: kNotFound, kIo.
  [[nodiscard]] virtual Result<Bytes> read(const Hash& id, std::uint64_t offset,
                                           std::size_t length) const = 0;
  // All blobs that are here, in any order. Errors: kIo.
  [[nodiscard]] virtual Result<std::vector<Hash>> list() const = 0;

  // Forgets a blob; nothing happens when it is not there.
  virtual void drop(const Hash& id) = 0;

  // An upload in pieces by `owner`; nobody else adds to it. How much of it is here; 0 when none.
  [[nodiscard]] virtual std::uint64_t partial_size(const PublicKey& owner,
                                                   const Hash& id) const = 0;
  // Adds at the end of what is here. After an error a part of the piece may be here.
  // REQUIRES: the caller appends in order. Errors: kNoSpace, kNoDescriptors, kIo.
  [[nodiscard]] virtual Status append(const PublicKey& owner, const Hash& id, ByteSpan piece) = 0;
  // Verifies the whole against its id and makes it durable. What is not the content of `id` is
  // dropped; after any other error it stays, to be finished later. Errors: kBadHash and kMalformed;
  // kNoSpace, kNoDescriptors, kIo.
  [[nodiscard]] virtual Status finish(const PublicKey& owner, const Hash& id) = 0;
  virtual void drop_partial(const PublicKey& owner, const Hash& id) = 0;
  // Drops every unfinished upload.
  virtual void drop_partials() = 0;
};

}  // namespace muster::wire
