#include "cli/rebuild.h"

#include <unistd.h>

#include "base/lock_file.h"
#include "cli/node_state.h"
#include "compression/segmented_blob.h"
#include "protocol/attestation.h"
#include "state/state_root.h"
#include "store/archive.h"
#include "store/bundle.h"
#include "store/file_blob_store.h"
#include "store/sqlite_journal.h"
#include "wire/codec.h"

namespace muster::cli {
namespace fs = std::filesystem;
namespace {

using protocol::MessageType;

Error nothing_here(const fs::path& source) {
  return {
      Errc::kNotFound,
      source.string() +
          ": nothing to rebuild a coordinator from; it takes a run's folder with archive.muster, a "
          "file of `muster audit export`, or the folder of a validator"};
}

// The journal and the blobs that are being made.
class Rebuilding {
 public:
  Rebuilding(const RunFolder& folder, const fs::path& home, const protocol::ProtocolParams& params,
             const SigningKey& key)
      : folder_(folder),
        home_(home),
        params_(params),
        key_(key),
        run_id_(protocol::run_id_of(params)) {}

  Result<Rebuilt> run(const fs::path& source) {
    MUSTER_TRY_STATUS(check_free(source));
    MUSTER_TRY(blobs_, store::FileBlobStore::open(folder_.blobs()));
    MUSTER_TRY(payloads_, store::FileBlobStore::open(folder_.payloads()));
    for (const char* end : {"", "-wal", "-shm"}) fs::remove(unfinished().string() + end);
    MUSTER_TRY(journal_, store::SqliteJournal::open(unfinished()));
    MUSTER_TRY_STATUS(journal_->append_together([&] { return take(source); }));
    rebuilt_.records = journal_->count();
    if (rebuilt_.records == 0) return nothing_here(source);
    journal_.reset();  // its write-ahead log is in it now
    MUSTER_TRY_STATUS(replace_file(home_ / kRestoredFile, bytes_of(rebuilt_.source + "\n")));
    std::error_code error;
    fs::rename(unfinished(), home_ / kJournal, error);
    if (error) return Error{Errc::kIo, (home_ / kJournal).string() + ": " + error.message()};
    MUSTER_TRY_STATUS(sync_directory(home_));
    return rebuilt_;
  }

 private:
  [[nodiscard]] fs::path unfinished() const { return home_ / "journal.rebuilding"; }

  // Nothing that is here may be contradicted.
  Status check_free(const fs::path& source) const {
    const fs::path journal = home_ / kJournal;
    if (fs::exists(journal)) {
      MUSTER_TRY(const auto open, store::SqliteJournal::open(journal));
      if (open->count() > 0)
        return Error{Errc::kAlreadyExists,
                     journal.string() + " has " + std::to_string(open->count()) +
                         " records: this folder is not lost. Start without --rebuild-from, or "
                         "move " +
                         home_.string() + " away"};
    }
    std::error_code error;
    if (!fs::exists(folder_.archive()) || fs::equivalent(source, folder_.root, error)) return {};
    MUSTER_TRY(const auto archive, store::Archive::open(folder_.archive()));
    if (archive.count() == 0) return {};
    return Error{Errc::kAlreadyExists,
                 folder_.archive().string() + " is here, with " + std::to_string(archive.count()) +
                     " records: rebuild from it, with --rebuild-from " + folder_.root.string() +
                     "; or move it away, if it is damaged"};
  }

  Status take(const fs::path& source) {
    std::error_code error;
    if (fs::is_regular_file(source, error)) return take_bundle(source);
    if (fs::exists(source / "archive.muster", error)) return take_archive({source});
    if (fs::exists(source / kValidatorState, error)) return take_validator(source);
    if (fs::exists(source / kTrainerState, error))
      return Error{Errc::kInvalidArgument,
                   source.string() +
                       ": a miner has θ, but not the downlink's residual, which the next aggregate "
                       "begins with; take the folder of a validator"};
    return nothing_here(source);
  }

  Status append(ByteSpan message, const std::string& where) {
    const auto envelope = wire::reread_envelope(message);
    if (!envelope) return Error(envelope.error()).within(where);
    if (envelope->run_id != run_id_)
      return Error{Errc::kWrongRun, where + ": of another run than " + folder_.root.string()};
    if (is_a(*envelope, MessageType::kJoined)) rebuilt_.first_round = envelope->round;
    return journal_->append(envelope->round, message);
  }

  // ---- the run's own archive, or that of a copy of its folder

  Status take_archive(const RunFolder& source) {
    rebuilt_.source = "the archive " + source.archive().string();
    const Status read = store::read_archive(source.archive(), [&](ByteSpan message) {
      return append(message, source.archive().string());
    });
    if (!read && read.error().code != Errc::kTruncated)
      return read;  // a crash was in the midst of an entry
    std::error_code error;
    if (fs::equivalent(source.root, folder_.root, error)) return {};
    MUSTER_TRY(const auto blobs, store::FileBlobStore::open(source.blobs()));
    MUSTER_TRY(const auto payloads, store::FileBlobStore::open(source.payloads()));
    MUSTER_TRY_STATUS(copy(*blobs, *blobs_));
    return copy(*payloads, *payloads_);
  }

  Status copy(const store::FileBlobStore& from, store::FileBlobStore& to) {
    MUSTER_TRY(const auto ids, from.list());
    for (const Hash& id : ids) {
      MUSTER_TRY(const Bytes blob, from.get(id));
      MUSTER_TRY_STATUS(to.put(id, blob));
      ++rebuilt_.blobs;
    }
    return {};
  }

  // ---- a bundle

  Status take_bundle(const fs::path& source) {
    rebuilt_.source = "the bundle " + source.string();
    MUSTER_TRY(const auto file, MappedFile::open(source, MappedFile::Access::kRead));
    auto opened = store::BundleReader::open(file.bytes());
    if (!opened) return std::move(opened).error().within(source.string());
    if (opened->payloads_left_out())
      return Error{Errc::kInvalidArgument,
                   source.string() +
                       ": made with --without-payloads, from which rounds cannot "
                       "be sealed again; take a complete one"};
    std::set<Hash> committed;
    for (;;) {
      auto entry = opened->next();
      if (!entry) return std::move(entry).error().within(source.string());
      if (!*entry) return {};
      const Status taken = take_entry(**entry, committed);
      if (!taken) return Error(taken.error()).within(source.string());
    }
  }

  Status take_entry(const store::BundleEntry& entry, std::set<Hash>& committed) {
    switch (entry.kind) {
      case store::BundleEntryKind::kParams: {
        const Bytes own = wire::encode(params_);
        if (!std::ranges::equal(entry.content, own))
          return Error{Errc::kWrongRun, "of another run than " + folder_.root.string()};
        return {};
      }
      case store::BundleEntryKind::kMessage:
        note_commits(entry.content, committed);
        return append(entry.content, "message");
      case store::BundleEntryKind::kBlob:
        ++rebuilt_.blobs;
        return (committed.contains(entry.id) ? *payloads_ : *blobs_).put(entry.id, entry.content);
      default:
        return {};  // the initial model is the folder's
    }
  }

  static void note_commits(ByteSpan message, std::set<Hash>& committed) {
    const auto envelope = wire::reread_envelope(message);
    if (!envelope || !is_a(*envelope, MessageType::kCommitsClosed)) return;
    const auto closed = protocol::read_body<protocol::CommitsClosed>(*envelope);
    if (!closed) return;
    for (const Hash& id : protocol::payloads_named(*closed)) committed.insert(id);
  }

  // ---- a validator's state

  Status take_validator(const fs::path& source) {
    rebuilt_.source = "the validator's folder " + source.string();
    MUSTER_TRY(const LockFile lock,
               LockFile::take(source / kLockFile, "muster coordinator --rebuild-from, process " +
                                                      std::to_string(::getpid())));
    const auto layout = state::layout_of(params_.model);
    MUSTER_TRY(const auto node, read_node_state(source, params_));
    const protocol::Follower& follower = node.follower;
    const protocol::Position& position = follower.head().position();
    const std::string round = std::to_string(position.round.value);
    if (follower.manifest())
      return Error{
          Errc::kConflict,
          source.string() + ": round " + round +
              " is sealed, and this validator had not applied it when it stopped; take the "
              "folder of one that has"};
    std::vector<Bytes> attestations;
    if (follower.open()) attestations = follower.open()->message.attestations;
    if (follower.open())
      if (const auto attested = protocol::majority_attestation(position, follower.open()->message);
          attested && attested->theta_root != state::parameters_root(layout, node.theta))
        return Error{Errc::kBadHash,
                     source.string() +
                         ": its θ is not the one that the validators attest before round " + round +
                         "; take the folder of another one"};
    if (position.round > Round{0}) {
      const Bytes blob = protocol::encode_state(layout, follower.head().state(), node.theta,
                                                node.downlink_residual);
      MUSTER_TRY(const Hash id, compression::blob_id(blob));
      MUSTER_TRY_STATUS(blobs_->put(id, blob));
      ++rebuilt_.blobs;
      const protocol::Joined joined{wire::encode(follower.head().state())};
      MUSTER_TRY_STATUS(append(protocol::sign_message(position, joined, key_), "Joined"));
      MUSTER_TRY_STATUS(
          append(protocol::sign_message(position, protocol::Checkpoint{id, attestations}, key_),
                 "Checkpoint"));
    }
    for (const Bytes& message : follower.signed_after(protocol::Phase::kGather))
      MUSTER_TRY_STATUS(append(message, source.string()));
    return {};
  }

  const RunFolder& folder_;
  const fs::path& home_;
  const protocol::ProtocolParams& params_;
  const SigningKey& key_;
  Hash run_id_;
  std::unique_ptr<store::FileBlobStore> blobs_, payloads_;
  std::unique_ptr<store::SqliteJournal> journal_;
  Rebuilt rebuilt_;
};

// Of a run's folder without an archive: its validator that is farthest.
Result<fs::path> newest_validator(const fs::path& run, const protocol::ProtocolParams& params) {
  std::optional<std::pair<Round, fs::path>> newest;
  std::error_code error;
  for (fs::directory_iterator node(run / "nodes", error), end; !error && node != end;
       node.increment(error)) {
    if (!fs::exists(node->path() / kValidatorState)) continue;
    if (const auto holder = LockFile::holder(node->path() / kLockFile)) continue;  // it lives
    MUSTER_TRY(const auto state, read_node_state(node->path(), params));
    if (!newest || newest->first < state.follower.head().round())
      newest = {state.follower.head().round(), node->path()};
  }
  if (!newest) return nothing_here(run);
  return newest->second;
}

}  // namespace

Result<Rebuilt> rebuild_coordinator(const RunFolder& folder, const fs::path& home,
                                    const protocol::ProtocolParams& params, const SigningKey& key,
                                    const fs::path& source) {
  if (key.public_key() != params.coordinator)
    return Error{Errc::kPermission, "the key of hotkey " + key.public_key().brief() +
                                        " is not that of this run's coordinator, " +
                                        params.coordinator.brief()};
  fs::path from = source;
  const RunFolder as_run{source};
  if (fs::exists(as_run.params_file()) && !fs::exists(as_run.archive())) {
    MUSTER_TRY(from, newest_validator(source, params));
  }
  return Rebuilding(folder, home, params, key).run(from);
}

}  // namespace muster::cli
