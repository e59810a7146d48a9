#include "chain/codec/signed_extrinsic.h"

#include "chain/codec/blake2b.h"

namespace muster::chain {
namespace {

constexpr std::uint8_t kSignedV4 = 0x84;
// CheckMetadataHash: the extrinsic doesn't commit to the runtime's metadata, which a ledger of ours
// doesn't have.
constexpr std::uint8_t kMetadataMode = 0;

void write_extra(const SignedExtrinsic& extrinsic, ScaleWriter& writer) {
  writer(extrinsic.era, Compact<std::uint32_t>{extrinsic.nonce},
         Compact<std::uint64_t>{extrinsic.tip_rao}, kMetadataMode);
}

}  // namespace

void MultiSignature::fields(const MultiSignature& signature, ScaleWriter& codec) {
  codec(static_cast<std::uint8_t>(signature.scheme));
  codec.append(
      ByteSpan(signature.bytes).first(signature.scheme == SignatureScheme::kEcdsa ? 65 : 64));
}

void MultiSignature::fields(MultiSignature& signature, ScaleReader& codec) {
  signature.bytes = {};
  signature.scheme = static_cast<SignatureScheme>(codec.read_tag(2));
  const ByteSpan bytes = codec.take(signature.scheme == SignatureScheme::kEcdsa ? 65 : 64);
  std::ranges::copy(bytes, signature.bytes.begin());
}

Bytes encode_extrinsic(const SignedExtrinsic& extrinsic) {
  ScaleWriter body;
  body(kSignedV4, AccountAddress{extrinsic.signer}, extrinsic.signature);
  write_extra(extrinsic, body);
  body.append(encode_call(extrinsic.call));
  ScaleWriter framed;
  framed.write_compact(body.bytes().size());
  framed.append(body.bytes());
  return std::move(framed).take();
}

Result<SignedExtrinsic> decode_extrinsic(ByteSpan bytes) {
  if (bytes.size() > kExtrinsicBytesMax)
    return Error{Errc::kTooLarge, "an extrinsic of " + std::to_string(bytes.size()) +
                                      " bytes, over " + std::to_string(kExtrinsicBytesMax)};
  ScaleReader reader(bytes);
  const std::uint64_t length = reader.read_compact(kExtrinsicBytesMax);
  if (!reader.failed() && length != reader.remaining())
    return Error{Errc::kMalformed, "an extrinsic's length is not that of its bytes"};
  std::uint8_t version = 0;
  reader(version);
  if (!reader.failed() && version != kSignedV4)
    return Error{Errc::kVersion, "not a signed extrinsic of format 4"};
  SignedExtrinsic extrinsic;
  AccountAddress signer;
  Compact<std::uint32_t> nonce;
  Compact<std::uint64_t> tip;
  reader(signer, extrinsic.signature, extrinsic.era, nonce, tip);
  (void)reader.read_tag(kMetadataMode);
  extrinsic.signer = signer.account;
  extrinsic.nonce = nonce.value;
  extrinsic.tip_rao = tip.value;
  extrinsic.call = read_call(reader);
  if (const ScaleFault fault = reader.finish(); fault != ScaleFault::kNone)
    return error_of(fault).within("extrinsic");
  return extrinsic;
}

Hash extrinsic_hash(ByteSpan bytes) { return blake2b_256(bytes); }

Bytes signing_payload(const SignedExtrinsic& extrinsic, const SigningContext& context) {
  ScaleWriter payload;
  payload.append(encode_call(extrinsic.call));
  write_extra(extrinsic, payload);
  payload(context.spec_version, context.transaction_version, context.genesis, context.birth_block,
          kMetadataMode);
  if (payload.bytes().size() <= kSignedPayloadBytesMax) return std::move(payload).take();
  const Hash hash = blake2b_256(payload.bytes());
  return {hash.bytes.begin(), hash.bytes.end()};
}

SignedExtrinsic sign_call(RuntimeCall call, const SigningKey& key, std::uint32_t nonce,
                          const SigningContext& context, Era era, std::uint64_t tip_rao) {
  SignedExtrinsic extrinsic{key.public_key(), {}, era, nonce, tip_rao, std::move(call)};
  const Signature signature = key.sign(signing_payload(extrinsic, context));
  std::ranges::copy(signature.bytes, extrinsic.signature.bytes.begin());
  return extrinsic;
}

SignatureVerdict verify_extrinsic(const SignedExtrinsic& extrinsic, const SigningContext& context) {
  if (extrinsic.signature.scheme != SignatureScheme::kEd25519)
    return SignatureVerdict::kUnsupportedScheme;
  Signature signature;
  std::copy_n(extrinsic.signature.bytes.begin(), signature.bytes.size(), signature.bytes.begin());
  return verify_signature(extrinsic.signer, signing_payload(extrinsic, context), signature)
             ? SignatureVerdict::kGood
             : SignatureVerdict::kBad;
}

}  // namespace muster::chain
