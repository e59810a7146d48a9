#include "store/bundle_export.h"

#include "store/archive.h"
#include "wire/codec.h"

namespace muster::store {
namespace {

using protocol::MessageType;

// How much of the archive belongs to sealed rounds: their messages, and what attests the last one.
struct Extent {
  std::uint64_t messages = 0;
  std::uint64_t rounds = 0;
};

Result<Extent> sealed_extent(const std::filesystem::path& archive) {
  Extent extent;
  std::uint64_t messages = 0;
  bool in_round = false;
  const Status read = read_archive(archive, [&](ByteSpan message) -> Status {
    ++messages;
    const auto envelope = wire::reread_envelope(message);
    if (!envelope) return {};  // the audit will say so
    if (is_a(*envelope, MessageType::kRoundOpen)) in_round = true;
    if (is_a(*envelope, MessageType::kManifest)) {
      in_round = false;
      ++extent.rounds;
    }
    if (!in_round) extent.messages = messages;
    return {};
  });
  // Somebody is writing to it, or a crash was in the midst of it: what is whole counts.
  if (!read && read.error().code != Errc::kTruncated) return read.error();
  return extent;
}

class Exporter {
 public:
  Exporter(const ExportSource& source, const ExportOptions& options, const Extent& extent,
           const FileSink& sink)
      : source_(source), options_(options), extent_(extent), writer_([this, sink](ByteSpan bytes) {
          exported_.bytes += bytes.size();
          return sink(bytes);
        }) {}

  Result<Exported> run() {
    MUSTER_TRY_STATUS(writer_.begin(!options_.payloads));
    MUSTER_TRY_STATUS(writer_.add(BundleEntryKind::kParams, wire::encode(source_.params)));
    if (!source_.initial_model.empty())
      MUSTER_TRY_STATUS(
          writer_.add(BundleEntryKind::kInitialModel, bytes_of(source_.initial_model)));
    bool done = extent_.messages == 0;
    const Status read =
        done ? Status() : read_archive(source_.archive, [&](ByteSpan message) -> Status {
          MUSTER_TRY_STATUS(take(message));
          done = exported_.messages == extent_.messages;
          return done ? Status(Error{Errc::kCancelled, "all that is wanted"}) : Status();
        });
    if (!done) return read.error();
    MUSTER_TRY_STATUS(writer_.end(extent_.rounds));
    exported_.rounds = extent_.rounds;
    return exported_;
  }

 private:
  Status take(ByteSpan message) {
    const auto envelope = wire::reread_envelope(message);
    if (envelope && envelope->sender == source_.params.coordinator) {
      // The state that a rebuilt folder's records begin with, from which the audit goes on.
      if (is_a(*envelope, MessageType::kCheckpoint) && std::exchange(begins_, false)) {
        const auto checkpoint = protocol::read_body<protocol::Checkpoint>(*envelope);
        if (checkpoint) MUSTER_TRY_STATUS(add_blob(checkpoint->blob_id));
      }
      if (is_a(*envelope, MessageType::kJoined)) begins_ = true;
      if (is_a(*envelope, MessageType::kCommitsClosed)) remember_payloads(*envelope);
      if (is_a(*envelope, MessageType::kRevealsClosed)) {
        for (const Hash& id : payloads_) MUSTER_TRY_STATUS(add_blob(id));
        payloads_.clear();
      }
      if (is_a(*envelope, MessageType::kManifest)) {
        const auto manifest = protocol::read_body<protocol::Manifest>(*envelope);
        if (manifest) MUSTER_TRY_STATUS(add_blob(manifest->record_id));
        if (manifest && !manifest->null_round) MUSTER_TRY_STATUS(add_blob(manifest->aggregate_id));
        if (options_.progress) MUSTER_TRY_STATUS(options_.progress({++rounds_, extent_.rounds}));
      }
    }
    ++exported_.messages;
    return writer_.add(BundleEntryKind::kMessage, message);
  }

  void remember_payloads(const wire::Envelope& envelope) {
    payloads_.clear();
    if (!options_.payloads) return;
    const auto closed = protocol::read_body<protocol::CommitsClosed>(envelope);
    if (closed) payloads_ = protocol::payloads_named(*closed);
  }

  Status add_blob(const Hash& id) {
    const auto blob = source_.blobs(id);
    if (!blob) {
      ++exported_.blobs_missing;
      return {};
    }
    ++exported_.blobs;
    return writer_.add_blob(id, *blob);
  }

  const ExportSource& source_;
  const ExportOptions& options_;
  const Extent& extent_;
  Exported exported_;
  BundleWriter writer_;
  std::vector<Hash> payloads_;  // of the round that is closed, not revealed
  std::uint64_t rounds_ = 0;
  bool begins_ = false;  // the next Checkpoint names the state that the records begin with
};

}  // namespace

Result<Exported> export_bundle(const ExportSource& source, const std::filesystem::path& file,
                               const ExportOptions& options) {
  MUSTER_TRY(const Extent extent, sealed_extent(source.archive));
  Exported exported;
  MUSTER_TRY_STATUS(replace_file_with(file, [&](const FileSink& sink) -> Status {
    MUSTER_TRY(exported, Exporter(source, options, extent, sink).run());
    return {};
  }));
  return exported;
}

}  // namespace muster::store
