// parse_weight_index on arbitrary bytes: whatever it accepts names files of the same folder.
#include "base/check.h"
#include "trainer/hf/weight_index.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto files = muster::trainer::parse_weight_index({data, size});
  if (!files) return 0;
  for (const auto& [tensor, file] : *files)
    MUSTER_CHECK(file.find('/') == std::string::npos && file.front() != '.', "a file elsewhere");
  return 0;
}
