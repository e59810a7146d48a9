// BlobStore: content-addressed bytes, durable when acknowledged; what blob transfer reads and fills.
//
// Thread safety: all members.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/result.h"

namespace muster::wire {

class BlobStore {
 public:
  virtual ~BlobStore() = default;

  // Stores a whole blob; durable on return. A blob that is there already stays.
  // Errors: kBadHash (not the content of `id`), kMalformed, kNoSpace, kIo.
  [[nodiscard]] virtual Status put(const Hash& id, ByteSpan blob) = 0;
  // Errors: kNotFound, kIo.
  [[nodiscard]] virtual Result<std::uint64_t> size(const Hash& id) const = 0;
  // Up to `length` bytes from `offset`; fewer only at the end.
  [[nodiscard]] virtual Result<Bytes> read(const Hash& id, std::uint64_t offset,
                                           std::size_t length) const = 0;

  // Forgets a blob; nothing happens when it is not there.
  virtual void drop(const Hash& id) = 0;

  // An upload in pieces. How much of it is here; 0 when none.
  [[nodiscard]] virtual std::uint64_t partial_size(const Hash& id) const = 0;
  // Adds at the end of what is here. REQUIRES: the caller appends in order.
  [[nodiscard]] virtual Status append(const Hash& id, ByteSpan piece) = 0;
  // Verifies the whole against its id and makes it durable, or drops it. Errors: kBadHash and put's.
  [[nodiscard]] virtual Status finish(const Hash& id) = 0;
  virtual void drop_partial(const Hash& id) = 0;
};

}  // namespace muster::wire
