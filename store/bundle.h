// Bundle: a whole run as one file: parameters, initial model, signed messages and blobs, in the
// order of checking.
//
// docs/audit.md has the bytes. Entries are hash-chained and counted at the end, so that a file that
// was cut off, changed or added to is noticed. The chain has a blob by its id and length: its bytes
// are checked against the id by who uses it. Reading allocates nothing: entries are views of the
// bytes. Thread safety: one thread each.
#pragma once

#include <functional>
#include <optional>

#include "base/file.h"
#include "base/hash.h"

namespace muster::store {

enum class BundleEntryKind : std::uint8_t { kParams = 1, kInitialModel, kMessage, kBlob, kEnd };
[[nodiscard]] std::string_view name_of(BundleEntryKind kind);

struct BundleEntry {
  BundleEntryKind kind = BundleEntryKind::kMessage;
  Hash id;  // of a blob
  ByteSpan content;
};

class BundleWriter {
 public:
  explicit BundleWriter(FileSink sink) : sink_(std::move(sink)) {}
  // First. Errors of all: the sink's.
  [[nodiscard]] Status begin(bool payloads_left_out);
  // REQUIRES: begin() before; `kind` is not kBlob or kEnd; within the limits of base/limits.h.
  [[nodiscard]] Status add(BundleEntryKind kind, ByteSpan content);
  [[nodiscard]] Status add_blob(const Hash& id, ByteSpan blob);
  // Last. `rounds`: sealed ones in it.
  [[nodiscard]] Status end(std::uint64_t rounds);
  [[nodiscard]] std::uint64_t entries() const { return entries_; }

 private:
  [[nodiscard]] Status write(BundleEntryKind kind, const Hash* id, ByteSpan content);
  FileSink sink_;
  Hash chain_;
  std::uint64_t entries_ = 0;
};

class BundleReader {
 public:
  // Errors: kMalformed (not a bundle), kVersion, kTruncated.
  [[nodiscard]] static Result<BundleReader> open(ByteSpan bytes);
  [[nodiscard]] bool payloads_left_out() const { return payloads_left_out_; }
  // The next entry; none after the end, which is not handed out.
  // Errors: kTruncated (cut off), kBadHash (chain), kTooLarge, kMalformed; each names entry and
  // byte.
  [[nodiscard]] Result<std::optional<BundleEntry>> next();
  // Bytes gone through.
  [[nodiscard]] std::uint64_t position() const { return bytes_.size() - rest_.remaining(); }
  // Sealed rounds that the end of the file says it has; nothing has checked it yet.
  [[nodiscard]] std::uint64_t rounds_claimed() const;

 private:
  BundleReader(ByteSpan bytes, ByteReader rest, Hash chain, bool payloads_left_out)
      : bytes_(bytes), rest_(rest), chain_(chain), payloads_left_out_(payloads_left_out) {}
  [[nodiscard]] Status check_end(ByteSpan content);
  [[nodiscard]] Error at_entry(Errc code, std::uint64_t position, const std::string& what) const;
  ByteSpan bytes_;
  ByteReader rest_;
  Hash chain_;
  bool payloads_left_out_;
  std::uint64_t entries_ = 0;
  bool ended_ = false;
};

}  // namespace muster::store
