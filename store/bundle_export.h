// Writes a run's archive and blobs as one bundle, up to the last sealed round; the run may still be
// going.
//
// Thread safety: pure but for the files.
#pragma once

#include "protocol/params.h"
#include "protocol/round_record.h"
#include "store/bundle.h"

namespace muster::store {

struct ExportSource {
  const protocol::ProtocolParams& params;
  std::span<const float> initial_model;  // empty: it follows from the seed
  const std::filesystem::path& archive;
  const protocol::BlobReader& blobs;
};

struct ExportProgress {
  std::uint64_t rounds = 0;  // written
  std::uint64_t rounds_total = 0;
};

struct ExportOptions {
  bool payloads = true;  // false: only their ids, which stand in the commits
  std::function<Status(const ExportProgress&)> progress;  // after each round; an error stops
};

struct Exported {
  std::uint64_t rounds = 0;
  std::uint64_t messages = 0;
  std::uint64_t blobs = 0;
  std::uint64_t blobs_missing = 0;  // that the run should have had
  std::uint64_t bytes = 0;
};

// Replaces `file` as a whole. Errors: kNotFound (no archive), those of the archive, kNoSpace, kIo,
// the progress'.
[[nodiscard]] Result<Exported> export_bundle(const ExportSource& source,
                                             const std::filesystem::path& file,
                                             const ExportOptions& options = {});

}  // namespace muster::store
