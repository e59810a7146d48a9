// parse_manifest on arbitrary bytes: whatever it accepts must survive being written and read again.
#include "base/check.h"
#include "trainer/data/manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace muster;
  const auto manifest = trainer::parse_manifest({data, size});
  if (!manifest) return 0;
  const auto again = trainer::parse_manifest(bytes_of(trainer::write_manifest(*manifest)));
  MUSTER_CHECK(again.has_value() && *again == *manifest, "a manifest changed by writing it");
  return 0;
}
