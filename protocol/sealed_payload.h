// Sealed payloads: what a miner uploads before anybody may read it.
//
// The plaintext is a segmented blob: header {version, run, round, hotkey, layout, format} and the
// coded segments. Sealed, header and segments are enciphered as one AES-256-CTR stream; the segment
// lengths stay clear. Cipher key and IV come by HKDF from the miner's key, run, round and hotkey,
// and the header repeats that context, so that nobody can commit another miner's ciphertext or key
// as its own. Aggregates have the same form, in clear, with the zero hotkey. Thread safety: pure
// functions.
#pragma once

#include "base/cipher.h"
#include "base/hash.h"
#include "base/sign.h"
#include "base/types.h"
#include "compression/payload.h"

namespace muster::protocol {

struct PayloadContext {
  Hash run_id;
  Round round;
  PublicKey hotkey;  // zero for aggregates
  bool operator==(const PayloadContext&) const = default;
};

// The key that a miner uses in a round, from its hotkey's secret seed.
[[nodiscard]] CipherKey payload_key(const SigningKey& hotkey, const Hash& run_id, Round round);
[[nodiscard]] Hash payload_key_hash(const PayloadContext& context, const CipherKey& key);

// No sealed payload of the format is larger.
[[nodiscard]] std::uint64_t sealed_bytes_max(const compression::Layout& layout,
                                             const compression::PayloadFormat& format);
// The blob to upload; its id is compression::blob_id of it.
[[nodiscard]] Bytes seal_payload(const PayloadContext& context, const CipherKey& key,
                                 const compression::Layout& layout,
                                 const compression::Payload& payload);
// Errors: kMalformed, kTruncated, kTooLarge, kVersion (not a blob, or the key does not open it),
// kWrongRun / kWrongRound (another context), kInvalidArgument (not `expected_format` or the
// layout).
[[nodiscard]] Result<compression::Payload> open_payload(
    const PayloadContext& context, const CipherKey& key, const compression::Layout& layout,
    const compression::PayloadFormat& expected_format, ByteSpan blob);

[[nodiscard]] Bytes write_aggregate(const Hash& run_id, Round round,
                                    const compression::Layout& layout,
                                    const compression::Payload& aggregate);
[[nodiscard]] Result<compression::Payload> read_aggregate(
    const Hash& run_id, Round round, const compression::Layout& layout,
    const compression::PayloadFormat& expected_format, ByteSpan blob);

}  // namespace muster::protocol
