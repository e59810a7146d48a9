#include "trainer/rounds/state_file.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/hash.h"

namespace muster::trainer {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "MUSTERTR";
constexpr std::uint32_t kVersion = 4;
constexpr std::uint32_t kArraysMax = 16, kNameBytesMax = 64;
constexpr std::uint64_t kAlignment = 64, kChecksumBytes = 32;

fs::path temporary_of(const fs::path& path) {
  fs::path temporary = path;
  temporary += ".tmp";
  return temporary;
}

Bytes write_head(const StateHead& head, const compression::Layout& layout) {
  ByteWriter writer;
  writer.append(bytes_of(kMagic));
  writer.write(kVersion);
  writer.append(layout.hash().bytes);
  writer.write(head.tag);
  writer.write(head.optimizer_steps);
  writer.write(static_cast<std::uint8_t>(head.pending));
  writer.write(head.entries);
  writer.write(static_cast<std::uint32_t>(head.optimizer.size()));
  for (const NamedSize& array : head.optimizer) {
    writer.write(static_cast<std::uint32_t>(array.name.size()));
    writer.append(bytes_of(array.name));
    writer.write(array.floats);
  }
  Bytes bytes = std::move(writer).take();
  bytes.resize((bytes.size() + kAlignment - 1) / kAlignment * kAlignment);
  return bytes;
}

// Behind magic, version and layout hash.
Result<StateHead> read_head(ByteReader& reader, std::uint64_t parameters, const std::string& name) {
  StateHead head;
  head.tag = reader.read<std::uint64_t>();
  head.optimizer_steps = reader.read<std::uint64_t>();
  const auto pending = reader.read<std::uint8_t>();
  head.pending = pending == 1;
  head.entries = reader.read<std::uint64_t>();
  const auto arrays = reader.read<std::uint32_t>();
  if (pending > 1 || head.entries > (head.pending ? parameters : 0) || arrays > kArraysMax)
    return Error{Errc::kMalformed, name + ": its head makes no sense"};
  for (std::uint32_t i = 0; i < arrays; ++i) {
    const auto length = reader.read<std::uint32_t>();
    if (length > kNameBytesMax) reader.fail();
    const ByteSpan text = reader.take(length);
    const auto floats = reader.read<std::uint64_t>();
    if (floats > parameters) reader.fail();
    head.optimizer.push_back({std::string(text.begin(), text.end()), floats});
  }
  if (reader.failed()) return Error{Errc::kMalformed, name + ": its head makes no sense"};
  return head;
}

Status check_start(ByteReader& reader, const std::string& name) {
  const ByteSpan magic = reader.take(kMagic.size());
  if (magic.size() != kMagic.size() || !std::equal(magic.begin(), magic.end(), kMagic.begin()))
    return Error{Errc::kMalformed, name + ": not a trainer checkpoint"};
  if (const auto version = reader.read<std::uint32_t>(); version != kVersion)
    return Error{Errc::kVersion, name + ": trainer checkpoint version " + std::to_string(version) +
                                     ", this build reads " + std::to_string(kVersion)};
  return {};
}

}  // namespace

std::uint64_t StateFile::place(std::uint64_t head_bytes, std::uint64_t parameters) {
  std::uint64_t at = head_bytes;
  const auto next = [&at](std::uint64_t bytes) {
    at += bytes;
    return Range{at - bytes, at};
  };
  indices_ = next(head_.entries * sizeof(std::uint64_t));
  originals_ = next(head_.entries * sizeof(float));
  theta_ = next(parameters * sizeof(float));
  for (const NamedSize& array : head_.optimizer)
    optimizer_.push_back(next(array.floats * sizeof(float)));
  residual_ = next(parameters * sizeof(float));
  delta_ = next(head_.pending ? parameters * sizeof(float) : 0);
  return at + kChecksumBytes;
}

Result<StateFile> StateFile::create(const fs::path& path, const compression::Layout& layout,
                                    const StateHead& head) {
  const Bytes bytes = write_head(head, layout);
  const fs::path temporary = temporary_of(path);
  std::error_code ignored;
  fs::remove(temporary, ignored);
  StateFile state({}, path, head);
  MUSTER_TRY(state.file_,
             MappedFile::create(temporary, state.place(bytes.size(), layout.parameters())));
  std::ranges::copy(bytes, state.file_.writable().begin());
  return state;
}

Result<StateFile> StateFile::parse(MappedFile file, const fs::path& named, const fs::path& path,
                                   const compression::Layout& layout, bool is_checked) {
  const std::string name = named.string();
  const ByteSpan bytes = file.bytes();
  ByteReader reader(bytes);
  MUSTER_TRY_STATUS(check_start(reader, name));
  if (bytes.size() < kChecksumBytes) return Error{Errc::kTruncated, name + ": cut off"};
  const ByteSpan content = bytes.first(bytes.size() - kChecksumBytes);
  if (is_checked && !std::ranges::equal(sha256(content).bytes, bytes.last(kChecksumBytes)))
    return Error{Errc::kBadHash, name + ": damaged, its checksum does not match"};
  if (!std::ranges::equal(reader.take(layout.hash().bytes.size()), layout.hash().bytes))
    return Error{Errc::kInvalidArgument, name + ": made for another model"};
  MUSTER_TRY(StateHead head, read_head(reader, layout.parameters(), name));
  const std::uint64_t head_bytes = write_head(head, layout).size();
  StateFile state(std::move(file), path, std::move(head));
  if (state.place(head_bytes, layout.parameters()) != bytes.size())
    return Error{Errc::kMalformed, name + ": of another size than its content"};
  return state;
}

Result<StateFile> StateFile::join(const fs::path& path, const compression::Layout& layout) {
  MUSTER_TRY(auto file, MappedFile::open(temporary_of(path), MappedFile::Access::kReadWrite));
  return parse(std::move(file), temporary_of(path), path, layout, false);
}

Result<StateFile> StateFile::open(const fs::path& path, const compression::Layout& layout) {
  MUSTER_TRY(auto file, MappedFile::open(path, MappedFile::Access::kRead));
  MUSTER_TRY(auto state, parse(std::move(file), path, path, layout, true));
  const auto indices = std::as_const(state).indices();
  const bool ascends = std::ranges::adjacent_find(indices, std::greater_equal{}) == indices.end();
  if (!ascends || (!indices.empty() && indices.back() >= layout.parameters()))
    return Error{Errc::kMalformed, path.string() + ": an entry out of range"};
  return state;
}

Status StateFile::commit() {
  const auto bytes = file_.writable();
  const auto content = bytes.first(bytes.size() - kChecksumBytes);
  std::ranges::copy(sha256(content).bytes, bytes.last(kChecksumBytes).begin());
  MUSTER_TRY_STATUS(file_.sync());
  const fs::path temporary = temporary_of(path_);
  if (::rename(temporary.c_str(), path_.c_str()) != 0) return system_error(temporary, "rename");
  return sync_directory(path_.parent_path());
}

}  // namespace muster::trainer
