#include "trainer/run/checkpoint_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/hash.h"
#include "trainer/run/checkpoint_head.h"

namespace muster::trainer {
namespace {

constexpr std::string_view kMagic = "MUSTERCK";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kFrontBytes = 8 + 4 + 8;  // before the head
constexpr std::size_t kAlignment = 64;
constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kPieceBytes = 4u << 20;  // hashed and written at a time

constexpr std::uint64_t aligned(std::uint64_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

class HashingWriter {
 public:
  HashingWriter(const FileHandle& file, const std::filesystem::path& path)
      : file_(file), path_(path) {}
  Status write(ByteSpan bytes) {
    while (!bytes.empty()) {
      const ByteSpan piece = bytes.first(std::min(bytes.size(), kPieceBytes));
      hash_.update(piece);
      MUSTER_TRY_STATUS(write_fully(file_, path_, piece));
      bytes = bytes.subspan(piece.size());
    }
    return {};
  }
  Status finish() { return write_fully(file_, path_, hash_.finish().bytes); }

 private:
  const FileHandle& file_;
  const std::filesystem::path& path_;
  Sha256 hash_;
};

Status write_content(const std::filesystem::path& path, const CheckpointHead& head,
                     std::span<const NamedState> arrays) {
  FileHandle file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file) return system_error(path, "create");
  const Bytes encoded = encode_head(head);
  ByteWriter front;
  front.append(bytes_of(kMagic));
  front.write(kVersion);
  front.write(std::uint64_t{encoded.size()});
  front.append(encoded);
  front.append(Bytes(aligned(front.bytes().size()) - front.bytes().size()));
  HashingWriter writer(file, path);
  MUSTER_TRY_STATUS(writer.write(front.bytes()));
  for (const NamedState& array : arrays)
    MUSTER_TRY_STATUS(writer.write(bytes_of(std::span<const float>(array.values))));
  MUSTER_TRY_STATUS(writer.finish());
  if (::fsync(file.get()) != 0) return system_error(path, "fsync");
  return {};
}

// The head's length, once magic, version and checksum are right.
Result<std::uint64_t> check_file(ByteSpan file, const std::string& name) {
  ByteReader reader(file);
  const ByteSpan magic = reader.take(kMagic.size());
  if (!std::ranges::equal(magic, bytes_of(kMagic)))
    return Error{Errc::kMalformed, name + ": not a checkpoint of a training"};
  if (const auto version = reader.read<std::uint32_t>(); version != kVersion)
    return Error{Errc::kVersion, name + ": checkpoint version " + std::to_string(version) +
                                     ", this build reads " + std::to_string(kVersion)};
  const auto head_bytes = reader.read<std::uint64_t>();
  if (reader.failed() || file.size() < aligned(kFrontBytes) + kHashBytes)
    return Error{Errc::kTruncated, name + ": cut off"};
  const Hash hash = sha256(file.first(file.size() - kHashBytes));
  if (!std::ranges::equal(hash.bytes, file.last(kHashBytes)))
    return Error{Errc::kBadHash, name + ": damaged, its checksum does not match"};
  if (head_bytes > kHeadBytesMax) return Error{Errc::kTooLarge, name + ": its head is too long"};
  if (aligned(kFrontBytes + head_bytes) > file.size() - kHashBytes)
    return Error{Errc::kTruncated, name + ": shorter than its head says"};
  return head_bytes;
}

}  // namespace

Status write_checkpoint(const std::filesystem::path& path, CheckpointHead head,
                        std::span<const NamedState> arrays) {
  head.arrays.clear();
  for (const NamedState& array : arrays) head.arrays.push_back({array.name, array.values.size()});
  std::filesystem::path temporary = path;
  temporary += ".tmp";
  if (Status written = write_content(temporary, head, arrays); !written) {
    ::unlink(temporary.c_str());
    return written;
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return system_error(path, "rename");
  return sync_directory(path.parent_path());
}

Result<CheckpointFile> CheckpointFile::open(const std::filesystem::path& path) {
  MUSTER_TRY(MappedFile mapped, MappedFile::open(path, MappedFile::Access::kRead));
  const std::string name = path.string();
  MUSTER_TRY(const std::uint64_t head_bytes, check_file(mapped.bytes(), name));
  CheckpointFile file(path, std::move(mapped));
  const ByteSpan bytes = file.file_.bytes();
  auto head = decode_head(bytes.subspan(kFrontBytes, head_bytes));
  if (!head) return std::move(head).error().within(name);
  file.head_ = *std::move(head);
  file.data_offset_ = aligned(kFrontBytes + head_bytes);
  std::uint64_t floats = 0;
  for (const ArrayName& array : file.head_.arrays) floats += array.elements;
  if (file.data_offset_ + floats * sizeof(float) + kHashBytes != bytes.size())
    return Error{Errc::kTruncated, name + ": its size is not that of its arrays"};
  return file;
}

Status CheckpointFile::restore(std::span<const NamedState> arrays) const {
  for (const NamedState& wanted : arrays) {
    std::uint64_t offset = data_offset_;
    auto array = head_.arrays.begin();
    for (; array != head_.arrays.end() && array->name != wanted.name; ++array)
      offset += array->elements * sizeof(float);
    if (array == head_.arrays.end() || array->elements != wanted.values.size())
      return Error{Errc::kInvalidArgument,
                   path_.string() + ": array '" + wanted.name + "' is missing or of another size"};
    if (!wanted.values.empty())
      std::memcpy(wanted.values.data(), file_.bytes().data() + offset, wanted.values.size_bytes());
  }
  return {};
}

std::optional<Difference> first_difference(std::span<const Setting> then,
                                           std::span<const Setting> now) {
  const auto value_in = [](std::span<const Setting> settings, const std::string& name) {
    const auto found = std::ranges::find(settings, name, &Setting::name);
    return found == settings.end() ? std::string("-") : found->value;
  };
  for (const Setting& setting : now)
    if (const auto before = value_in(then, setting.name); before != setting.value)
      return Difference{setting.name, before, setting.value};
  for (const Setting& setting : then)
    if (value_in(now, setting.name) == "-") return Difference{setting.name, setting.value, "-"};
  return std::nullopt;
}

}  // namespace muster::trainer
