#include "store/archive.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/limits.h"

namespace muster::store {
namespace {

constexpr std::string_view kMagic = "MUSTERAR";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHeaderBytes = 12;
constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kReleaseBytes = 4u << 20;  // read, and not needed any more

Hash next_chain(const Hash& chain, ByteSpan entry) {
  return tagged_hash("muster/archive", {chain.bytes, entry});
}

Bytes header() {
  ByteWriter writer;
  writer.append(bytes_of(kMagic));
  writer.write(kVersion);
  return std::move(writer).take();
}

Status check_header(const std::filesystem::path& path, ByteReader& reader) {
  const ByteSpan magic = reader.take(kMagic.size());
  if (magic.size() != kMagic.size() || !std::equal(magic.begin(), magic.end(), kMagic.begin()))
    return Error{Errc::kMalformed, path.string() + ": not a muster archive"};
  if (const auto version = reader.read<std::uint32_t>(); version != kVersion) {
    return Error{Errc::kVersion, path.string() + ": written as version " + std::to_string(version) +
                                     ", this build reads version " + std::to_string(kVersion)};
  }
  return {};
}

struct Walk {
  Hash chain;
  std::uint64_t count = 0;
  std::size_t good_bytes = kHeaderBytes;  // up to the end of the last whole entry
  bool torn = false;
};

// Walks the entries. A wrong chain value is an error; a cut-off last entry only sets `torn`.
Result<Walk> walk(const std::filesystem::path& path, ByteReader& reader,
                  const std::function<Status(ByteSpan)>& visit) {
  Walk walk;
  while (reader.remaining() > 0) {
    const auto length = reader.read<std::uint32_t>();
    const ByteSpan entry = reader.take(length);
    const ByteSpan chain = reader.take(32);
    if (reader.failed()) {
      walk.torn = true;
      return walk;
    }
    const Hash expected = next_chain(walk.chain, entry);
    if (!std::equal(chain.begin(), chain.end(), expected.bytes.begin())) {
      return Error{Errc::kBadHash, path.string() + ": the hash chain breaks at entry " +
                                       std::to_string(walk.count)};
    }
    MUSTER_TRY_STATUS(visit(entry));
    walk.chain = expected;
    walk.good_bytes += 4 + length + 32;
    ++walk.count;
  }
  return walk;
}

}  // namespace

Result<Archive> Archive::open(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) MUSTER_TRY_STATUS(replace_file(path, header()));
  Walk found;
  {
    MUSTER_TRY(const MappedFile file, MappedFile::open(path, MappedFile::Access::kRead));
    ByteReader reader(file.bytes());
    MUSTER_TRY_STATUS(check_header(path, reader));
    MUSTER_TRY(found, walk(path, reader, [](ByteSpan) { return Status(); }));
  }
  FileHandle file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (!file) return system_error(path, "open");
  if (found.torn && ::ftruncate(file.get(), static_cast<off_t>(found.good_bytes)) != 0)
    return system_error(path, "cut off a torn entry");
  return Archive(std::move(file), path, found.chain, found.count, found.good_bytes);
}

Status Archive::append(ByteSpan entry) {
  MUSTER_CHECK(entry.size() <= limits::kMessageBytesMax, "an archive entry over the limit");
  const Hash chain = next_chain(chain_, entry);
  ByteWriter writer;
  writer.write(static_cast<std::uint32_t>(entry.size()));
  writer.append(entry);
  writer.append(chain.bytes);
  if (Status written = write_fully(file_, path_, writer.bytes()); !written) {
    // What did reach the disk would break the chain for what follows.
    if (::ftruncate(file_.get(), static_cast<off_t>(bytes_)) != 0)
      return system_error(path_, "cut off a torn entry");
    return written;
  }
  bytes_ += writer.bytes().size();
  chain_ = chain;
  ++count_;
  return {};
}

Status Archive::sync() {
  if (::fsync(file_.get()) != 0) return system_error(path_, "fsync");
  return {};
}

Status read_archive(const std::filesystem::path& path,
                    const std::function<Status(ByteSpan)>& visit) {
  MUSTER_TRY(const MappedFile file, MappedFile::open(path, MappedFile::Access::kRead));
  ByteReader reader(file.bytes());
  MUSTER_TRY_STATUS(check_header(path, reader));
  std::size_t released = 0;
  MUSTER_TRY(const Walk found, walk(path, reader, [&](ByteSpan entry) -> Status {
               MUSTER_TRY_STATUS(visit(entry));
               const auto offset = static_cast<std::size_t>(entry.data() - file.bytes().data());
               const std::size_t read = offset / kPageBytes * kPageBytes;
               if (read - released >= kReleaseBytes) {
                 file.release(file.bytes().subspan(released, read - released));
                 released = read;
               }
               return {};
             }));
  if (found.torn)
    return Error{Errc::kTruncated,
                 path.string() + ": cut off in entry " + std::to_string(found.count)};
  return {};
}

}  // namespace muster::store
