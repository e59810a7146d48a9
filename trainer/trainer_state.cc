#include "trainer/trainer_state.h"

#include <algorithm>

#include "base/file.h"
#include "base/limits.h"

namespace muster::trainer {
namespace {

constexpr std::string_view kMagic = "MUSTERTR";
constexpr std::uint32_t kVersion = 3;
constexpr std::uint32_t kArraysMax = 16, kNameBytesMax = 64;

// Checks magic, version, checksum and layout; leaves the reader behind them.
Status read_head(ByteReader& reader, ByteSpan file, const std::string& name,
                 const compression::Layout& layout) {
  const ByteSpan magic = reader.take(kMagic.size());
  if (magic.size() != kMagic.size() || !std::equal(magic.begin(), magic.end(), kMagic.begin()))
    return Error{Errc::kMalformed, name + ": not a trainer checkpoint"};
  if (const auto version = reader.read<std::uint32_t>(); version != kVersion)
    return Error{Errc::kVersion, name + ": trainer checkpoint version " + std::to_string(version) +
                                     ", this build reads " + std::to_string(kVersion)};
  if (file.size() < 32) return Error{Errc::kTruncated, name + ": cut off"};
  const Hash check = sha256(file.first(file.size() - 32));
  if (!std::equal(check.bytes.begin(), check.bytes.end(), file.end() - 32))
    return Error{Errc::kBadHash, name + ": damaged, its checksum does not match"};
  const ByteSpan hash = reader.take(32);
  if (!std::equal(hash.begin(), hash.end(), layout.hash().bytes.begin()))
    return Error{Errc::kInvalidArgument, name + ": made for another model"};
  return {};
}

// `count` numbers; none, and the reader failed, if fewer remain.
template <class Number>
std::vector<Number> numbers(ByteReader& reader, std::uint64_t count) {
  if (count > reader.remaining() / sizeof(Number)) {
    reader.fail();
    return {};
  }
  const ByteSpan raw = reader.take(count * sizeof(Number));
  std::vector<Number> values(count);
  if (!raw.empty()) std::memcpy(values.data(), raw.data(), raw.size());
  return values;
}

}  // namespace

Status write_trainer_state(const std::filesystem::path& path, const compression::Layout& layout,
                           const TrainerStateView& state) {
  ByteWriter writer;
  writer.append(bytes_of(kMagic));
  writer.write(kVersion);
  writer.append(layout.hash().bytes);
  writer.write(state.tag);
  writer.write(state.steps);
  MUSTER_CHECK(state.theta.size() == layout.parameters() && state.residual.size() == layout.parameters(),
               "a state of another layout");
  writer.append(bytes_of(state.theta));
  writer.write(static_cast<std::uint32_t>(state.optimizer.size()));
  for (const NamedState& array : state.optimizer) {
    writer.write(static_cast<std::uint32_t>(array.name.size()));
    writer.append(bytes_of(array.name));
    writer.write(static_cast<std::uint64_t>(array.values.size()));
    writer.append(bytes_of(std::span<const float>(array.values)));
  }
  writer.append(bytes_of(state.residual));
  writer.write(static_cast<std::uint8_t>(state.feedback.pending));
  if (state.feedback.pending) {
    writer.append(bytes_of(state.delta));
    writer.write(static_cast<std::uint64_t>(state.feedback.indices.size()));
    writer.append(bytes_of(std::span<const std::uint64_t>(state.feedback.indices)));
    writer.append(bytes_of(std::span<const float>(state.feedback.originals)));
  }
  const Hash check = sha256(writer.bytes());
  writer.append(check.bytes);
  return replace_file(path, writer.bytes());
}

Result<TrainerState> read_trainer_state(const std::filesystem::path& path,
                                        const compression::Layout& layout) {
  MUSTER_TRY(const Bytes file, read_file(path, limits::kBlobBytesMax));
  const std::string name = path.string();
  ByteReader reader(file);
  MUSTER_TRY_STATUS(read_head(reader, file, name, layout));
  TrainerState state;
  state.tag = reader.read<std::uint64_t>();
  state.steps = reader.read<std::uint64_t>();
  const std::uint64_t parameters = layout.parameters();
  state.theta = numbers<float>(reader, parameters);
  const auto arrays = reader.read<std::uint32_t>();
  if (arrays > kArraysMax) return Error{Errc::kMalformed, name + ": too many arrays of an optimizer"};
  for (std::uint32_t i = 0; i < arrays; ++i) {
    const auto length = reader.read<std::uint32_t>();
    if (length > kNameBytesMax) reader.fail();
    const ByteSpan text = reader.take(length);
    const auto count = reader.read<std::uint64_t>();
    state.optimizer.emplace_back(std::string(text.begin(), text.end()), numbers<float>(reader, count));
  }
  state.residual = numbers<float>(reader, parameters);
  state.feedback.pending = reader.read<std::uint8_t>() == 1;
  if (state.feedback.pending) {
    state.delta = numbers<float>(reader, parameters);
    const auto entries = reader.read<std::uint64_t>();
    state.feedback.indices = numbers<std::uint64_t>(reader, entries);
    state.feedback.originals = numbers<float>(reader, entries);
  }
  for (std::uint64_t index : state.feedback.indices)
    if (index >= parameters) return Error{Errc::kMalformed, name + ": an entry out of range"};
  if (reader.remaining() != 32 || reader.failed())
    return Error{Errc::kMalformed, name + ": of another size than its content"};
  return state;
}

}  // namespace muster::trainer
