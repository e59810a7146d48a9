#include "trainer/run/event_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdio>

namespace muster::trainer {
namespace {

constexpr std::uint32_t kPolynomial = 0x82f63b78;  // reflected
constexpr std::uint32_t kMaskDelta = 0xa282ead8;
constexpr std::uint8_t kSessionStart = 1;

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    table[byte] = crc;
  }
  return table;
}
constexpr auto kTable = make_table();

// Protobuf's wire format, what of it events need.
class Message {
 public:
  Message& number(unsigned field, std::uint64_t value) {
    key(field, 0);
    varint(value);
    return *this;
  }
  Message& real(unsigned field, double value) {
    key(field, 1);
    writer_.write(std::bit_cast<std::uint64_t>(value));
    return *this;
  }
  Message& real(unsigned field, float value) {
    key(field, 5);
    writer_.write(std::bit_cast<std::uint32_t>(value));
    return *this;
  }
  Message& bytes(unsigned field, ByteSpan value) {
    key(field, 2);
    varint(value.size());
    writer_.append(value);
    return *this;
  }
  [[nodiscard]] Bytes take() { return std::move(writer_).take(); }

 private:
  void key(unsigned field, unsigned wire_type) { varint(field << 3 | wire_type); }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) writer_.write(static_cast<std::uint8_t>(value | 0x80));
    writer_.write(static_cast<std::uint8_t>(value));
  }
  ByteWriter writer_;
};

// proto3 writes no zeros.
Message event_at(double wall_s, std::int64_t step) {
  Message event;
  event.real(1, wall_s);
  if (step != 0) event.number(2, static_cast<std::uint64_t>(step));
  return event;
}

}  // namespace

std::uint32_t crc32c(ByteSpan bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const std::uint8_t byte : bytes) crc = (crc >> 8) ^ kTable[(crc ^ byte) & 0xff];
  return ~crc;
}

std::uint32_t masked_crc32c(ByteSpan bytes) { return std::rotr(crc32c(bytes), 15) + kMaskDelta; }

Bytes version_event(double wall_s) {
  return event_at(wall_s, 0).bytes(3, bytes_of("brain.Event:2")).take();
}

Bytes scalars_event(double wall_s, std::int64_t step, std::span<const Scalar> scalars) {
  Message summary;
  for (const Scalar& scalar : scalars)
    summary.bytes(1, Message().bytes(1, bytes_of(scalar.tag)).real(2, scalar.value).take());
  return event_at(wall_s, step).bytes(5, summary.take()).take();
}

Bytes restart_event(double wall_s, std::int64_t step) {
  return event_at(wall_s, step).bytes(7, Message().number(1, kSessionStart).take()).take();
}

Bytes framed(ByteSpan event) {
  ByteWriter length;
  length.write(std::uint64_t{event.size()});
  ByteWriter record;
  record.append(length.bytes());
  record.write(masked_crc32c(length.bytes()));
  record.append(event);
  record.write(masked_crc32c(event));
  return std::move(record).take();
}

Result<EventFile> EventFile::create(const std::filesystem::path& folder, double wall_s) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return Error{Errc::kIo, folder.string() + ": " + error.message()};
  char name[96];
  std::snprintf(name, sizeof(name), "events.out.tfevents.%010lld.muster.%d",
                static_cast<long long>(std::floor(wall_s)), static_cast<int>(::getpid()));
  const auto path = folder / name;
  FileHandle handle(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644));
  if (!handle) return system_error(path, "create");
  EventFile file(path, std::move(handle));
  MUSTER_TRY_STATUS(file.write(version_event(wall_s)));
  return file;
}

Status EventFile::write(ByteSpan event) { return write_fully(file_, path_, framed(event)); }

}  // namespace muster::trainer
