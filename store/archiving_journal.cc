#include "store/archiving_journal.h"

namespace muster::store {

Result<std::unique_ptr<ArchivingJournal>> ArchivingJournal::open(
    std::unique_ptr<protocol::Journal> journal, Archive archive) {
  if (archive.count() > journal->count()) {
    return Error{Errc::kConflict, "the archive has " + std::to_string(archive.count()) +
                                      " entries, the journal only " +
                                      std::to_string(journal->count())};
  }
  std::unique_ptr<ArchivingJournal> both(
      new ArchivingJournal(std::move(journal), std::move(archive)));
  MUSTER_TRY_STATUS(both->bring_up_to_date());
  return both;
}

Status ArchivingJournal::bring_up_to_date() {
  return journal_->replay(archive_.count(),
                          [&](Round, ByteSpan message) { return archive_.append(message); });
}

// The record is appended once it is in the journal; the archive may lag behind while the disk is
// full.
Status ArchivingJournal::append(Round round, ByteSpan message) {
  if (archive_.count() < journal_->count()) MUSTER_TRY_STATUS(bring_up_to_date());
  MUSTER_TRY_STATUS(journal_->append(round, message));
  if (const Status archived = archive_.append(message);
      !archived && archived.error().code != Errc::kNoSpace)
    return archived;
  return {};
}

}  // namespace muster::store
