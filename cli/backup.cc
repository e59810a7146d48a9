#include "cli/backup.h"

#include <algorithm>
#include <array>

#include "base/file.h"
#include "cli/node_state.h"
#include "cli/run_folder.h"
#include "store/archive.h"
#include "store/copy_database.h"
#include "store/file_blob_store.h"
#include "store/sqlite_journal.h"

namespace muster::cli {
namespace fs = std::filesystem;
namespace {

constexpr const char* kLedger = "ledger.sqlite";
// The coordinator's working files, made anew at each start; no other node has them.
constexpr std::array kScratch{"theta.f32", "downlink_residual.f32"};
constexpr std::array kStates{kTrainerState, kValidatorState};

bool is_copied_apart(const std::string& name) {
  const auto is = [&](const char* other) { return name == other; };
  return name == kLockFile || name == kRestoredFile || name.starts_with(kJournal) ||
         name.starts_with(kLedger) || name.starts_with("journal.rebuilding") ||
         name.ends_with(".tmp") || std::ranges::any_of(kScratch, is) ||
         std::ranges::any_of(kStates, is);
}

class Copying {
 public:
  Copying(const fs::path& node, const fs::path& to) : node_(node), to_(to) {}

  Result<Backup> run() {
    const bool has_journal = fs::exists(node_ / kJournal);
    if (!has_journal && !fs::exists(node_ / kLedger))
      return Error{Errc::kNotFound, node_.string() + ": not the folder of a node, which has " +
                                        kJournal + " or " + kLedger};
    const bool coordinates = has_journal && fs::exists(node_ / kScratch.front());
    backup_.what = !has_journal                          ? "ledger"
                   : coordinates                         ? "coordinator"
                   : fs::exists(node_ / kValidatorState) ? "validator"
                                                         : "miner";
    for (const char* state : kStates) MUSTER_TRY_STATUS(copy_if_there(state));
    for (const char* database : {kJournal, kLedger}) {
      if (!fs::exists(node_ / database)) continue;
      MUSTER_TRY_STATUS(store::copy_database(node_ / database, to_ / database));
      ++backup_.files;
    }
    std::error_code error;
    for (fs::directory_iterator entry(node_, error), end; !error && entry != end;
         entry.increment(error)) {
      const std::string name = entry->path().filename().string();
      if (entry->is_regular_file(error) && !is_copied_apart(name))
        MUSTER_TRY_STATUS(copy_if_there(name));
    }
    if (coordinates) {
      MUSTER_TRY_STATUS(copy_run());
    } else if (has_journal) {
      MUSTER_TRY_STATUS(replace_file(to_ / kRestoredFile,
                                     bytes_of(std::string_view("a copy of a node's folder\n"))));
    }
    MUSTER_TRY_STATUS(sync_directory(to_));
    return backup_;
  }

 private:
  Status copy_if_there(const std::string& name) {
    const Status copied = store::copy_durably(node_ / name, to_ / name);
    if (!copied && copied.error().code == Errc::kNotFound)
      return {};  // an upload whose round is over
    backup_.files += copied.has_value();
    return copied;
  }

  // What a coordinator has in the run's folder. The archive is its journal.
  Status copy_run() {
    const RunFolder run{node_.parent_path().parent_path()};
    {
      MUSTER_TRY(const auto journal, store::SqliteJournal::open(to_ / kJournal));
      MUSTER_TRY(auto archive, store::Archive::open(to_ / run.archive().filename()));
      MUSTER_TRY_STATUS(
          journal->replay(0, [&](Round, ByteSpan record) { return archive.append(record); }));
      MUSTER_TRY_STATUS(archive.sync());
    }
    fs::remove(to_ / kJournal);
    MUSTER_TRY_STATUS(copy_blobs(run.blobs()));
    return copy_blobs(run.payloads());
  }

  Status copy_blobs(const fs::path& folder) {
    if (!fs::exists(folder)) return {};
    MUSTER_TRY(const auto from, store::FileBlobStore::open(folder));
    MUSTER_TRY(const auto to, store::FileBlobStore::open(to_ / folder.filename()));
    MUSTER_TRY(const auto ids, from->list());
    for (const Hash& id : ids) {
      const auto blob = from->get(id);
      if (!blob && blob.error().code == Errc::kNotFound)
        continue;  // an older checkpoint, or what no close lists
      if (!blob) return blob.error();
      MUSTER_TRY_STATUS(to->put(id, *blob));
      ++backup_.files;
    }
    return {};
  }

  const fs::path& node_;
  const fs::path& to_;
  Backup backup_;
};

}  // namespace

Result<Backup> back_up(const fs::path& node, const fs::path& destination) {
  if (fs::exists(destination))
    return Error{Errc::kAlreadyExists,
                 destination.string() + " is there already; choose another name for this backup"};
  const fs::path from = fs::weakly_canonical(node), to = fs::weakly_canonical(destination);
  const fs::path unfinished = to.string() + ".unfinished";
  std::error_code error;
  fs::remove_all(unfinished, error);  // of an attempt that was cut short
  if (!error) fs::create_directories(unfinished, error);
  if (error) return Error{Errc::kIo, unfinished.string() + ": " + error.message()};
  auto backup = Copying(from, unfinished).run();
  if (!backup) {
    fs::remove_all(unfinished, error);
    return backup;
  }
  fs::rename(unfinished, to, error);
  if (error) return Error{Errc::kIo, to.string() + ": " + error.message()};
  MUSTER_TRY_STATUS(sync_directory(to.parent_path()));
  return backup;
}

}  // namespace muster::cli
