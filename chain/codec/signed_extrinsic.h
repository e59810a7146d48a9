// SignedExtrinsic: a call with its signer, signature and lifetime, as Subtensor's transactions
// travel (format v4).
//
// compact(length) ‖ 0x84 ‖ signer ‖ signature ‖ era ‖ compact nonce ‖ compact tip ‖ metadata mode 0
// ‖ call. What is signed also binds the runtime's versions, the genesis and the birth block, which
// don't travel. Source: sp_runtime generic/unchecked_extrinsic.rs; subtensor: runtime/src/lib.rs.
// Thread safety: plain values.
#pragma once

#include <cstdint>
#include <variant>

#include "chain/codec/call.h"
#include "chain/codec/era.h"

namespace muster::chain {

// Longer ones are refused before they are looked at; the longest call in use, weights for 4096
// uids, takes 16 KiB.
inline constexpr std::size_t kExtrinsicBytesMax = 64 << 10;
// A payload over this is signed by its BLAKE2b-256.
inline constexpr std::size_t kSignedPayloadBytesMax = 256;

// The three schemes that the format knows; this build makes and verifies Ed25519.
enum class SignatureScheme : std::uint8_t { kEd25519 = 0, kSr25519 = 1, kEcdsa = 2 };

struct MultiSignature {
  SignatureScheme scheme = SignatureScheme::kEd25519;
  std::array<std::uint8_t, 65> bytes{};  // the first 64, but for kEcdsa
  bool operator==(const MultiSignature&) const = default;
  static void fields(const MultiSignature& signature, ScaleWriter& codec);
  static void fields(MultiSignature& signature, ScaleReader& codec);
};

// What a signature covers beside the extrinsic's own content.
struct SigningContext {
  std::uint32_t spec_version = 0;
  std::uint32_t transaction_version = 0;
  Hash genesis;
  Hash birth_block;  // of the era; the genesis when immortal
};

struct SignedExtrinsic {
  AccountId signer;
  MultiSignature signature;
  Era era;
  std::uint32_t nonce = 0;
  std::uint64_t tip_rao = 0;
  RuntimeCall call;
  bool operator==(const SignedExtrinsic&) const = default;
};

[[nodiscard]] Bytes encode_extrinsic(const SignedExtrinsic& extrinsic);
// The whole of `bytes`. Errors: kTooLarge (over kExtrinsicBytesMax), those of error_of(ScaleFault).
[[nodiscard]] Result<SignedExtrinsic> decode_extrinsic(ByteSpan bytes);
// A transaction's identity: BLAKE2b-256 of all its bytes.
[[nodiscard]] Hash extrinsic_hash(ByteSpan bytes);

// Call, extra and additional data, or their hash when over kSignedPayloadBytesMax.
[[nodiscard]] Bytes signing_payload(const SignedExtrinsic& extrinsic,
                                    const SigningContext& context);
[[nodiscard]] SignedExtrinsic sign_call(RuntimeCall call, const SigningKey& key,
                                        std::uint32_t nonce, const SigningContext& context,
                                        Era era = {}, std::uint64_t tip_rao = 0);

enum class SignatureVerdict : std::uint8_t { kGood, kBad, kUnsupportedScheme };
[[nodiscard]] SignatureVerdict verify_extrinsic(const SignedExtrinsic& extrinsic,
                                                const SigningContext& context);

}  // namespace muster::chain
