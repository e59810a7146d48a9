// Journal: a node's own durable record of the messages that must not be forgotten.
//
// Thread safety: one thread.
#pragma once

#include <functional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/types.h"

namespace muster::protocol {

class Journal {
 public:
  virtual ~Journal() = default;
  // Durable on return. Errors: kNoSpace, kIo.
  [[nodiscard]] virtual Status append(Round round, ByteSpan message) = 0;
  // All records from the `first`-th on, in order of appending; stops at the visitor's first error.
  [[nodiscard]] virtual Status replay(
      std::uint64_t first, const std::function<Status(Round, ByteSpan)>& visit) const = 0;
  [[nodiscard]] virtual Result<std::vector<Bytes>> records_of(Round round) const = 0;
  [[nodiscard]] virtual std::uint64_t count() const = 0;
};

}  // namespace muster::protocol
