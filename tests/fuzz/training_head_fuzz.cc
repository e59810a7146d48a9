// decode_head, of a training's checkpoint, on arbitrary bytes: what it accepts is written again as
// the same bytes.
#include <algorithm>

#include "base/check.h"
#include "trainer/run/checkpoint_head.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace muster;
  const ByteSpan bytes(data, size);
  const auto head = trainer::decode_head(bytes);
  if (!head) return 0;
  MUSTER_CHECK(std::ranges::equal(trainer::encode_head(*head), bytes), "two encodings of one head");
  return 0;
}
