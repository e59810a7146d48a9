// Blobs: what decodes must encode to the same bytes, and its id must be computable.
#include "base/check.h"
#include "compression/segmented_blob.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const muster::ByteSpan bytes(data, size);
  const auto blob = muster::compression::read_blob(bytes);
  const auto id = muster::compression::blob_id(bytes);
  MUSTER_CHECK(blob.has_value() == id.has_value(), "blob and id disagree");
  if (blob) {
    const muster::Bytes again = muster::compression::write_blob(*blob);
    MUSTER_CHECK(again == muster::Bytes(bytes.begin(), bytes.end()), "not canonical");
  }
  return 0;
}
