// Extrinsics and calls: what decodes must encode to the same bytes, so that no two byte strings are
// one extrinsic.
#include "base/check.h"
#include "chain/codec/signed_extrinsic.h"
#include "chain/codec/ss58.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const muster::ByteSpan bytes(data, size);
  if (const auto extrinsic = muster::chain::decode_extrinsic(bytes))
    MUSTER_CHECK(std::ranges::equal(muster::chain::encode_extrinsic(*extrinsic), bytes),
                 "an extrinsic decodes from bytes that are not its own");
  if (const auto call = muster::chain::decode_call(bytes))
    MUSTER_CHECK(std::ranges::equal(muster::chain::encode_call(*call), bytes),
                 "a call decodes from bytes that are not its own");
  const std::string text(bytes.begin(), bytes.end());
  if (const auto address = muster::chain::ss58_decode(text))
    MUSTER_CHECK(muster::chain::ss58_encode(address->account, address->prefix) == text,
                 "an address decodes from text that is not its own");
  return 0;
}
