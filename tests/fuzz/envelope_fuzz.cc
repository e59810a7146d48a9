// Envelopes, without the signature: decoding must neither crash nor allocate beyond the input.
#include "base/check.h"
#include "wire/envelope.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto envelope = muster::wire::reread_envelope({data, size});
  if (envelope) MUSTER_CHECK(envelope->body.size() <= size, "a body larger than the message");
  return 0;
}
