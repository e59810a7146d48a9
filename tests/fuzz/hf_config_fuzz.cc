// read_hf_config on arbitrary bytes: whatever it accepts must survive being written and read again.
#include "base/check.h"
#include "trainer/hf/hf_config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace muster;
  const auto model = trainer::read_hf_config(ByteSpan(data, size));
  if (!model) return 0;
  const auto again = trainer::read_hf_config(bytes_of(trainer::write_hf_config(*model)));
  MUSTER_CHECK(again.has_value() && *again == *model, "a configuration changed by writing it");
  return 0;
}
