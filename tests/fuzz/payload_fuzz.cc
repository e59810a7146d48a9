// Payload segments against a fixed layout: bounded time, only finite values, ascending indices, and no
// second byte string for a content.
#include <cmath>

#include "base/check.h"
#include "compression/payload.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace muster::compression;
  static const Layout layout = Layout::make({{"a", {4096}}, {"b", {100}}}).value();
  if (size < 2) return 0;
  const std::uint32_t keeps[] = {1, 64, 1024, 4096};
  const Payload payload{{keeps[data[0] % 4], static_cast<ValueFormat>(data[1] % kValueFormats)},
                        {muster::Bytes(data + 2, data + size)}};
  const auto update = decode(layout, payload);
  if (!update) return 0;
  std::vector<float> dense(layout.parameters());
  for (std::size_t i = 0; i < update->indices.size(); ++i) {
    dense[update->indices[i]] = update->values[i];
    MUSTER_CHECK(std::isnormal(update->values[i]), "a value that is not normal");
    MUSTER_CHECK(update->indices[i] < layout.parameters(), "an index outside");
    MUSTER_CHECK(i == 0 || update->indices[i - 1] < update->indices[i], "indices not ascending");
  }
  MUSTER_CHECK(compress(layout, payload.format, dense).value() == payload, "not the canonical bytes");
  return 0;
}
