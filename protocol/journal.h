// Journal: a node's own durable record of the messages that must not be forgotten.
//
// Thread safety: one thread.
#pragma once

#include <functional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/types.h"
#include "protocol/signed_message.h"

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

// Which records of a journal a node's saved state contains.
//
// A node saves its state together with the number of records that it had then. What was recorded
// after that is lost with a crash and happens again after the restart, so the journal would hold it
// twice. A restarted node therefore appends a Restarted record, which takes those records out for
// good.
class SavedExtent {
 public:
  // A state that was saved when the journal had `saved` records.
  explicit SavedExtent(std::uint64_t saved) : saved_(saved) {}
  // Takes the records in order. Errors: kMalformed (a Restarted record that names records after
  // itself).
  [[nodiscard]] Status take(ByteSpan record);
  // REQUIRES: all records were taken.
  [[nodiscard]] bool contains(std::uint64_t index) const;
  // True when records follow those that the state contains: a Restarted record must be appended.
  [[nodiscard]] bool needs_restart_record() const { return saved_ < count_; }

 private:
  struct Lost {
    std::uint64_t first, end;
  };
  std::uint64_t saved_;
  std::uint64_t count_ = 0;
  std::vector<Lost> lost_;
};

// A journal of fewer records than the state that was saved beside it contains.
[[nodiscard]] Error records_missing(std::uint64_t records, std::uint64_t saved);

// What a restarted node's core takes part in when its journal is read.
struct Recovery {
  // Takes a record; `in_state` says whether the saved state contains it.
  std::function<Status(ByteSpan record, bool in_state)> take;
  // Where the core stands after all records.
  std::function<Position()> position;
};

// Hands all records to a restarted node's core, whose state was saved when the journal had `saved`
// records. Appends the Restarted record, signed with `key`, if the state lacks records. Errors: the
// journal's and the core's; kMalformed (the journal is damaged, or lacks records that the state
// contains).
[[nodiscard]] Status recover_from(Journal& journal, std::uint64_t saved, const SigningKey& key,
                                  const Recovery& core);

}  // namespace muster::protocol
