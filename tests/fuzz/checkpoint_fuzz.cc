// Blobs of checkpoints: what decodes is a valid state, and encodes to the same bytes.
#include "base/check.h"
#include "protocol/checkpoint.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace muster;
  static const auto layout = compression::Layout::make({{"w", {4, 4}}}).value();
  const ByteSpan blob(data, size);
  const auto state = protocol::decode_state(layout, blob);
  if (!state) return 0;
  MUSTER_CHECK(protocol::validate(state->head).has_value(), "an invalid head");
  MUSTER_CHECK(protocol::encode_state(layout, state->head, state->theta,
                                      state->downlink_residual) == Bytes(blob.begin(), blob.end()),
               "not canonical");
  return 0;
}
