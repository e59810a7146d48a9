#include "base/check.h"
#include "trainer/hf/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto tensors = muster::trainer::parse_safetensors({data, size});
  if (!tensors) return 0;
  for (const auto& [name, tensor] : *tensors)
    MUSTER_CHECK(tensor.bytes.empty() || (tensor.bytes.data() >= data &&
                                          tensor.bytes.data() + tensor.bytes.size() <= data + size),
                 "a tensor outside the file");
  return 0;
}
