#include "store/bundle.h"

#include <algorithm>

#include "base/limits.h"

namespace muster::store {
namespace {

constexpr std::string_view kMagic = "MUSTERAB";
constexpr std::uint32_t kVersion = 1;
constexpr std::uint8_t kPayloadsLeftOut = 1;
constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kEndContentBytes = 16;
constexpr std::size_t kEndBytes = 1 + 8 + kEndContentBytes + kHashBytes;

template <class T>
ByteSpan bytes_of_number(const T& value) {
  return {reinterpret_cast<const std::uint8_t*>(&value), sizeof(value)};
}

Bytes header(std::uint8_t flags) {
  ByteWriter writer;
  writer.append(bytes_of(kMagic));
  writer.write(kVersion);
  writer.write(flags);
  return std::move(writer).take();
}

// `id`: of a blob, whose bytes it stands for.
Hash next_chain(const Hash& chain, BundleEntryKind kind, std::uint64_t length, const Hash* id,
                ByteSpan content) {
  const auto number = static_cast<std::uint8_t>(kind);
  return tagged_hash("muster/bundle",
                     {chain.bytes, bytes_of_number(number), bytes_of_number(length),
                      id == nullptr ? content : ByteSpan(id->bytes)});
}

std::uint64_t length_max(BundleEntryKind kind) {
  switch (kind) {
    case BundleEntryKind::kParams:
    case BundleEntryKind::kMessage:
      return limits::kMessageBytesMax;
    case BundleEntryKind::kInitialModel:
      return limits::kParametersMax * sizeof(float);
    case BundleEntryKind::kBlob:
      return kHashBytes + limits::kBlobBytesMax;
    case BundleEntryKind::kEnd:
      return kEndContentBytes;
  }
  MUSTER_UNREACHABLE();
}

}  // namespace

std::string_view name_of(BundleEntryKind kind) {
  switch (kind) {
    case BundleEntryKind::kParams:
      return "parameters";
    case BundleEntryKind::kInitialModel:
      return "initial model";
    case BundleEntryKind::kMessage:
      return "message";
    case BundleEntryKind::kBlob:
      return "blob";
    case BundleEntryKind::kEnd:
      return "end";
  }
  MUSTER_UNREACHABLE();
}

// ---- writing

Status BundleWriter::begin(bool payloads_left_out) {
  const Bytes first = header(payloads_left_out ? kPayloadsLeftOut : 0);
  chain_ = tagged_hash("muster/bundle", first);
  return sink_(first);
}

Status BundleWriter::add(BundleEntryKind kind, ByteSpan content) {
  MUSTER_CHECK(kind != BundleEntryKind::kBlob && kind != BundleEntryKind::kEnd, "not this way");
  return write(kind, nullptr, content);
}

Status BundleWriter::add_blob(const Hash& id, ByteSpan blob) {
  return write(BundleEntryKind::kBlob, &id, blob);
}

Status BundleWriter::end(std::uint64_t rounds) {
  ByteWriter content;
  content.write(entries_);
  content.write(rounds);
  return write(BundleEntryKind::kEnd, nullptr, content.bytes());
}

Status BundleWriter::write(BundleEntryKind kind, const Hash* id, ByteSpan content) {
  const std::uint64_t length = content.size() + (id == nullptr ? 0 : kHashBytes);
  MUSTER_CHECK(length <= length_max(kind), "a bundle entry over the limit");
  chain_ = next_chain(chain_, kind, length, id, content);
  ByteWriter head;
  head.write(static_cast<std::uint8_t>(kind));
  head.write(length);
  if (id != nullptr) head.append(id->bytes);
  MUSTER_TRY_STATUS(sink_(head.bytes()));
  MUSTER_TRY_STATUS(sink_(content));
  ++entries_;
  return sink_(chain_.bytes);
}

// ---- reading

Result<BundleReader> BundleReader::open(ByteSpan bytes) {
  ByteReader reader(bytes);
  const ByteSpan magic = reader.take(kMagic.size());
  if (!std::equal(magic.begin(), magic.end(), kMagic.begin(), kMagic.end()))
    return Error{Errc::kMalformed, "not an audit bundle"};
  const auto version = reader.read<std::uint32_t>();
  const auto flags = reader.read<std::uint8_t>();
  if (reader.failed()) return Error{Errc::kTruncated, "audit bundle: cut off in its header"};
  if (version != kVersion) {
    return Error{Errc::kVersion, "audit bundle: written as version " + std::to_string(version) +
                                     ", this build reads version " + std::to_string(kVersion)};
  }
  if (flags > kPayloadsLeftOut) return Error{Errc::kMalformed, "audit bundle: unknown flags"};
  return BundleReader(bytes, reader, tagged_hash("muster/bundle", header(flags)),
                      flags == kPayloadsLeftOut);
}

Error BundleReader::at_entry(Errc code, std::uint64_t position, const std::string& what) const {
  return {code, "audit bundle: entry " + std::to_string(entries_) + ", at byte " +
                    std::to_string(position) + ": " + what};
}

Result<std::optional<BundleEntry>> BundleReader::next() {
  if (ended_) return std::optional<BundleEntry>();
  const std::uint64_t start = position();
  if (rest_.remaining() == 0)
    return at_entry(Errc::kTruncated, start, "the file is cut off: it has no end");
  const auto number = rest_.read<std::uint8_t>();
  const auto length = rest_.read<std::uint64_t>();
  if (rest_.failed()) return at_entry(Errc::kTruncated, start, "the file is cut off in it");
  const auto kind = static_cast<BundleEntryKind>(number);
  if (number < 1 || kind > BundleEntryKind::kEnd)
    return at_entry(Errc::kMalformed, start, "an unknown kind of entry, " + std::to_string(number));
  const std::string name(name_of(kind));
  if (length > length_max(kind))
    return at_entry(Errc::kTooLarge, start,
                    "a " + name + " of " + std::to_string(length) + " bytes, at most " +
                        std::to_string(length_max(kind)));
  ByteSpan content = rest_.take(length);
  const ByteSpan chain = rest_.take(kHashBytes);
  if (rest_.failed())
    return at_entry(Errc::kTruncated, start, "the file is cut off in it, a " + name);
  BundleEntry entry{kind, {}, content};
  if (kind == BundleEntryKind::kBlob) {
    if (length < kHashBytes) return at_entry(Errc::kMalformed, start, "a blob without its id");
    std::copy_n(content.begin(), kHashBytes, entry.id.bytes.begin());
    entry.content = content.subspan(kHashBytes);
  }
  const Hash expected = next_chain(
      chain_, kind, length, kind == BundleEntryKind::kBlob ? &entry.id : nullptr, entry.content);
  if (!std::equal(chain.begin(), chain.end(), expected.bytes.begin()))
    return at_entry(Errc::kBadHash, start,
                    "the hash chain breaks at this " + name + ": it or its place was changed");
  chain_ = expected;
  if (kind == BundleEntryKind::kEnd) {
    MUSTER_TRY_STATUS(check_end(content));
    return std::optional<BundleEntry>();
  }
  ++entries_;
  return std::optional(entry);
}

Status BundleReader::check_end(ByteSpan content) {
  ByteReader reader(content);
  const auto entries = reader.read<std::uint64_t>();
  (void)reader.read<std::uint64_t>();
  if (!reader.finished())
    return at_entry(Errc::kMalformed, position(), "an end of the wrong length");
  if (entries != entries_)
    return at_entry(Errc::kMalformed, position(),
                    "its end says " + std::to_string(entries) + " entries");
  ended_ = true;
  if (rest_.remaining() > 0)
    return at_entry(Errc::kMalformed, position(),
                    std::to_string(rest_.remaining()) + " bytes after its end");
  return {};
}

std::uint64_t BundleReader::rounds_claimed() const {
  if (bytes_.size() < kEndBytes) return 0;
  ByteReader end(bytes_.last(kEndBytes));
  if (end.read<std::uint8_t>() != static_cast<std::uint8_t>(BundleEntryKind::kEnd) ||
      end.read<std::uint64_t>() != kEndContentBytes)
    return 0;
  (void)end.read<std::uint64_t>();
  return end.read<std::uint64_t>();
}

}  // namespace muster::store
