#include "trainer/run/checkpoint_head.h"

#include <bit>

#include "base/limits.h"

namespace muster::trainer {
namespace {

constexpr std::uint32_t kSettingsMax = 1024;
constexpr std::uint32_t kArraysMax = 64;
constexpr std::uint32_t kWindowMax = 65536;

void write_text(ByteWriter& writer, const std::string& text) {
  MUSTER_CHECK(text.size() <= limits::kTextBytesMax, "a setting is too long");
  writer.write(static_cast<std::uint32_t>(text.size()));
  writer.append(bytes_of(text));
}

std::string read_text(ByteReader& reader) {
  const auto size = reader.read<std::uint32_t>();
  if (size > limits::kTextBytesMax) reader.fail();
  const ByteSpan raw = reader.take(reader.failed() ? 0 : size);
  return {raw.begin(), raw.end()};
}

// A count of things that take at least `bytes_min` each; 0, and the reader failed, when it cannot
// be.
std::uint32_t read_count(ByteReader& reader, std::uint32_t max, std::size_t bytes_min) {
  const auto count = reader.read<std::uint32_t>();
  if (count > max || count > reader.remaining() / bytes_min) reader.fail();
  return reader.failed() ? 0 : count;
}

void write_settings(ByteWriter& writer, const std::vector<Setting>& settings) {
  MUSTER_CHECK(settings.size() <= kSettingsMax, "too many settings");
  writer.write(static_cast<std::uint32_t>(settings.size()));
  for (const Setting& setting : settings) {
    write_text(writer, setting.name);
    write_text(writer, setting.value);
  }
}

std::vector<Setting> read_settings(ByteReader& reader) {
  std::vector<Setting> settings(read_count(reader, kSettingsMax, 8));
  for (Setting& setting : settings) {
    setting.name = read_text(reader);
    setting.value = read_text(reader);
  }
  return settings;
}

void write_numbers(ByteWriter& writer, const std::vector<double>& numbers) {
  MUSTER_CHECK(numbers.size() <= kWindowMax, "the guard's window is too long");
  writer.write(static_cast<std::uint32_t>(numbers.size()));
  for (const double number : numbers) writer.write(std::bit_cast<std::uint64_t>(number));
}

std::vector<double> read_numbers(ByteReader& reader) {
  std::vector<double> numbers(read_count(reader, kWindowMax, 8));
  for (double& number : numbers) number = std::bit_cast<double>(reader.read<std::uint64_t>());
  return numbers;
}

}  // namespace

Bytes encode_head(const CheckpointHead& head) {
  ByteWriter writer;
  write_settings(writer, head.binding);
  write_settings(writer, head.noted);
  writer.write(head.step);
  writer.write(head.sequences);
  writer.write(head.optimizer_steps);
  write_numbers(writer, head.guard.losses);
  write_numbers(writer, head.guard.norms);
  writer.write(head.guard.skipped);
  writer.write(head.guard.skipped_in_a_row);
  MUSTER_CHECK(head.arrays.size() <= kArraysMax, "too many arrays");
  writer.write(static_cast<std::uint32_t>(head.arrays.size()));
  for (const ArrayName& array : head.arrays) {
    write_text(writer, array.name);
    writer.write(array.elements);
  }
  return std::move(writer).take();
}

Result<CheckpointHead> decode_head(ByteSpan bytes) {
  ByteReader reader(bytes);
  CheckpointHead head;
  head.binding = read_settings(reader);
  head.noted = read_settings(reader);
  head.step = reader.read<std::uint64_t>();
  head.sequences = reader.read<std::uint64_t>();
  head.optimizer_steps = reader.read<std::uint64_t>();
  head.guard.losses = read_numbers(reader);
  head.guard.norms = read_numbers(reader);
  head.guard.skipped = reader.read<std::uint64_t>();
  head.guard.skipped_in_a_row = reader.read<std::uint32_t>();
  head.arrays.resize(read_count(reader, kArraysMax, 12));
  for (ArrayName& array : head.arrays) {
    array.name = read_text(reader);
    array.elements = reader.read<std::uint64_t>();
    if (array.elements > 3 * limits::kParametersMax) reader.fail();
  }
  if (!reader.finished() || head.guard.losses.size() != head.guard.norms.size())
    return Error{Errc::kMalformed, "the head is not one of a checkpoint"};
  return head;
}

}  // namespace muster::trainer
