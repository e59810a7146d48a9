// Payload segments against a fixed layout: bounded time, only finite values, ascending indices, and
// no second byte string for a content.
#include <cmath>

#include "base/check.h"
#include "compression/payload.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace muster::compression;
  static const Layout layout = Layout::make({{"a", {4096}}, {"b", {100}}}).value();
  if (size < 2) return 0;
  const std::uint32_t keeps[] = {1, 64, 1024, 4096};
  const std::uint32_t keep = keeps[data[0] % 4];
  const auto values = static_cast<ValueFormat>(data[1] % kValueFormats);
  const PayloadFormat format =
      data[0] < 128 ? PayloadFormat{keep, values} : two_part_format(keep, values);
  const Payload payload{format, {muster::Bytes(data + 2, data + size)}};
  const auto update = decode(layout, payload);
  if (!update) return 0;
  for (std::size_t i = 0; i < update->indices.size(); ++i) {
    MUSTER_CHECK(std::isnormal(update->values[i]), "a value that is not normal");
    MUSTER_CHECK(update->indices[i] < layout.parameters(), "an index outside");
    MUSTER_CHECK(i == 0 || update->indices[i - 1] < update->indices[i], "indices not ascending");
  }
  for (const Payload& part : split_parts(payload).value()) {
    std::vector<float> dense(layout.parameters());
    const auto entries = decode(layout, part).value();
    for (std::size_t i = 0; i < entries.indices.size(); ++i)
      dense[entries.indices[i]] = entries.values[i];
    MUSTER_CHECK(compress(layout, part.format, dense).value() == part, "not the canonical bytes");
  }
  return 0;
}
