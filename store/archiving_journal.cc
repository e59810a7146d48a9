#include "store/archiving_journal.h"

namespace muster::store {

Result<std::unique_ptr<ArchivingJournal>> ArchivingJournal::open(
    std::unique_ptr<protocol::Journal> journal, Archive archive) {
  if (archive.count() > journal->count()) {
    return Error{Errc::kConflict, "the archive has " + std::to_string(archive.count()) +
                                      " entries, the journal only " +
                                      std::to_string(journal->count())};
  }
  MUSTER_TRY_STATUS(journal->replay(
      archive.count(), [&](Round, ByteSpan message) { return archive.append(message); }));
  return std::unique_ptr<ArchivingJournal>(
      new ArchivingJournal(std::move(journal), std::move(archive)));
}

}  // namespace muster::store
