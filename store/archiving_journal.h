// ArchivingJournal: a journal that also keeps the archive, record by record in the same order.
//
// The journal is what counts; an archive that a crash or a full disk left behind is brought up to
// it on opening or with the next record. Thread safety: one thread.
#pragma once

#include <memory>

#include "protocol/journal.h"
#include "store/archive.h"

namespace muster::store {

class ArchivingJournal final : public protocol::Journal {
 public:
  // Errors: those of the archive; kConflict when the archive is ahead of the journal.
  [[nodiscard]] static Result<std::unique_ptr<ArchivingJournal>> open(
      std::unique_ptr<protocol::Journal> journal, Archive archive);

  Status append(Round round, ByteSpan message) override;
  Status replay(std::uint64_t first,
                const std::function<Status(Round, ByteSpan)>& visit) const override {
    return journal_->replay(first, visit);
  }
  Result<std::vector<Bytes>> records_of(Round round) const override {
    return journal_->records_of(round);
  }
  std::uint64_t count() const override { return journal_->count(); }

 private:
  ArchivingJournal(std::unique_ptr<protocol::Journal> journal, Archive archive)
      : journal_(std::move(journal)), archive_(std::move(archive)) {}
  std::unique_ptr<protocol::Journal> journal_;
  [[nodiscard]] Status bring_up_to_date();
  Archive archive_;
};

}  // namespace muster::store
