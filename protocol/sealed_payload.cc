#include "protocol/sealed_payload.h"

#include <algorithm>

#include "compression/segmented_blob.h"
#include "wire/codec.h"

namespace muster::compression {
constexpr std::uint8_t enum_count(ValueFormat) { return kValueFormats; }
}  // namespace muster::compression

namespace muster::protocol {
namespace {

constexpr std::uint8_t kPayloadVersion = 3;

struct Header {
  std::uint8_t version = kPayloadVersion;
  Hash run_id;
  Round round;
  PublicKey hotkey;
  Hash layout;
  std::uint32_t keep = 0;
  compression::ValueFormat values = compression::ValueFormat::kSign;
  std::uint32_t memory_keep = 0;
  bool operator==(const Header&) const = default;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(version, run_id, round, hotkey, layout, keep, values, memory_keep);
  }
};

Bytes context_bytes(std::string_view label, const PayloadContext& context) {
  ByteWriter writer;
  writer.append(bytes_of(label));
  writer.write(context.round.value);
  writer.append(context.hotkey.bytes);
  return std::move(writer).take();
}

// Enciphers or deciphers header and segments as one stream.
void apply_cipher(const PayloadContext& context, const CipherKey& key,
                  compression::SegmentedBlob& blob) {
  std::array<std::uint8_t, 48> derived{};
  hkdf_sha256(key, context.run_id.bytes, context_bytes("muster/payload-cipher", context), derived);
  CipherKey cipher_key;
  CipherIv iv;
  std::copy_n(derived.begin(), 32, cipher_key.begin());
  std::copy_n(derived.begin() + 32, 16, iv.begin());

  Bytes stream = blob.header;
  for (const Bytes& segment : blob.segments)
    stream.insert(stream.end(), segment.begin(), segment.end());
  aes256_ctr(cipher_key, iv, stream);
  auto next = stream.begin();
  auto take = [&next](Bytes& part) {
    std::copy_n(next, part.size(), part.begin());
    next += static_cast<std::ptrdiff_t>(part.size());
  };
  take(blob.header);
  for (Bytes& segment : blob.segments) take(segment);
}

compression::SegmentedBlob plain_blob(const PayloadContext& context,
                                      const compression::Layout& layout,
                                      const compression::Payload& payload) {
  const Header header{
      kPayloadVersion, context.run_id,      context.round,         context.hotkey,
      layout.hash(),   payload.format.keep, payload.format.values, payload.format.memory_keep};
  return {wire::encode(header), payload.segments};
}

Result<compression::Payload> check_and_unwrap(const PayloadContext& context,
                                              const compression::Layout& layout,
                                              const compression::PayloadFormat& expected,
                                              compression::SegmentedBlob blob) {
  MUSTER_TRY(const Header header, wire::decode<Header>(blob.header, "payload header"));
  if (header.version != kPayloadVersion) {
    return Error{Errc::kVersion, "payload header: version " + std::to_string(header.version) +
                                     ", this build reads " + std::to_string(kPayloadVersion)};
  }
  if (header.run_id != context.run_id || header.hotkey != context.hotkey)
    return Error{Errc::kWrongRun, "payload header: made for another run or by another hotkey"};
  if (header.round != context.round) {
    return Error{Errc::kWrongRound, "payload header: made for round " +
                                        std::to_string(header.round.value) + ", not " +
                                        std::to_string(context.round.value)};
  }
  if (header.layout != layout.hash() ||
      compression::PayloadFormat{header.keep, header.values, header.memory_keep} != expected) {
    return Error{Errc::kInvalidArgument,
                 "payload header: another layout or format than the round's"};
  }
  if (blob.segments.size() != layout.segment_count())
    return Error{Errc::kMalformed, "payload: a wrong number of segments"};
  return compression::Payload{expected, std::move(blob.segments)};
}

}  // namespace

CipherKey payload_key(const SigningKey& hotkey, const Hash& run_id, Round round) {
  CipherKey key;
  hkdf_sha256(hotkey.seed(), run_id.bytes,
              context_bytes("muster/payload-key", {run_id, round, hotkey.public_key()}), key);
  return key;
}

Hash payload_key_hash(const PayloadContext& context, const CipherKey& key) {
  return tagged_hash("muster/payload-key-hash",
                     {context.run_id.bytes, context_bytes("", context), key});
}

std::uint64_t sealed_bytes_max(const compression::Layout& layout,
                               const compression::PayloadFormat& format) {
  const compression::SegmentedBlob empty{wire::encode(Header{}), {}};
  return compression::write_blob(empty).size() + 8 * std::uint64_t{layout.segment_count()} +
         compression::payload_bytes_max(layout, format);
}

Bytes seal_payload(const PayloadContext& context, const CipherKey& key,
                   const compression::Layout& layout, const compression::Payload& payload) {
  compression::SegmentedBlob blob = plain_blob(context, layout, payload);
  apply_cipher(context, key, blob);
  return compression::write_blob(blob);
}

Result<compression::Payload> open_payload(const PayloadContext& context, const CipherKey& key,
                                          const compression::Layout& layout,
                                          const compression::PayloadFormat& expected_format,
                                          ByteSpan blob) {
  MUSTER_TRY(compression::SegmentedBlob parts, compression::read_blob(blob));
  apply_cipher(context, key, parts);
  return check_and_unwrap(context, layout, expected_format, std::move(parts));
}

Bytes write_aggregate(const Hash& run_id, Round round, const compression::Layout& layout,
                      const compression::Payload& aggregate) {
  return compression::write_blob(plain_blob({run_id, round, PublicKey{}}, layout, aggregate));
}

Result<compression::Payload> read_aggregate(const Hash& run_id, Round round,
                                            const compression::Layout& layout,
                                            const compression::PayloadFormat& expected_format,
                                            ByteSpan blob) {
  MUSTER_TRY(compression::SegmentedBlob parts, compression::read_blob(blob));
  return check_and_unwrap({run_id, round, PublicKey{}}, layout, expected_format, std::move(parts));
}

}  // namespace muster::protocol
