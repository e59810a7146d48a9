// A target that must fail: it proves that a bug in a decoder would be noticed.
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 2 && data[0] == 'm' && data[2] > 0xf0) std::exit(70);
  return 0;
}
