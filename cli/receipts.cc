#include "cli/receipts.h"

#include "cli/node_state.h"
#include "store/sqlite_journal.h"

namespace muster::cli {
namespace fs = std::filesystem;
namespace {

Result<std::unique_ptr<store::SqliteJournal>> open_journal(const fs::path& place) {
  const fs::path file = fs::is_directory(place) ? place / kJournal : place;
  if (!fs::is_regular_file(file))
    return Error{Errc::kNotFound,
                 file.string() +
                     ": no journal; name a node's folder (RUN/nodes/NAME), or a file that "
                     "`muster audit receipts` wrote"};
  return store::SqliteJournal::open(file);
}

}  // namespace

Status read_receipts(const fs::path& place, verify::ReceiptAudit& receipts) {
  MUSTER_TRY(const auto journal, open_journal(place));
  return journal->replay(0, [&](Round, ByteSpan message) -> Status {
    receipts.add(message);
    return {};
  });
}

Result<std::uint64_t> export_receipts(const fs::path& node, const fs::path& file) {
  MUSTER_TRY(const auto journal, open_journal(node));
  if (fs::exists(file)) return Error{Errc::kAlreadyExists, file.string() + " is there already"};
  MUSTER_TRY(const auto exported, store::SqliteJournal::open(file));
  std::uint64_t receipts = 0;
  const auto copy = [&](Round round, ByteSpan message) -> Status {
    const auto envelope = wire::reread_envelope(message);
    if (!envelope) return {};
    const bool is_receipt = is_a(*envelope, protocol::MessageType::kReceipt);
    if (!is_receipt && !is_a(*envelope, protocol::MessageType::kCommit)) return {};
    receipts += is_receipt;
    return exported->append(round, message);
  };
  MUSTER_TRY_STATUS(exported->append_together([&] { return journal->replay(0, copy); }));
  return receipts;
}

}  // namespace muster::cli
