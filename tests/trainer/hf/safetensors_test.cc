#include "trainer/hf/safetensors.h"

#include <gtest/gtest.h>

#include "base/prng.h"

namespace muster::trainer {
namespace {

Bytes file_with(const std::string& header, std::size_t data_bytes) {
  ByteWriter writer;
  writer.write(static_cast<std::uint64_t>(header.size()));
  writer.append(bytes_of(header));
  writer.append(Bytes(data_bytes));
  return std::move(writer).take();
}

TEST(Safetensors, RoundTripALayout) {
  const auto layout = compression::Layout::make({{"a", {2, 3}}, {"b", {4}}}).value();
  std::vector<float> values{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  const Bytes file = format_safetensors(layout, values);
  const auto tensors = parse_safetensors(file).value();
  EXPECT_EQ(tensors.at("a").shape, (std::vector<std::uint64_t>{2, 3}));
  float last = 0;
  std::memcpy(&last, tensors.at("b").bytes.data() + 12, 4);
  EXPECT_EQ(last, 9);
}

TEST(Safetensors, RefusesHostileHeadersByReason) {
  const std::pair<const char*, std::size_t> cases[] = {
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 4},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[8,4]}})", 8},
      {R"({"a":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}})", 4},
      {R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4},
      {R"({"a":{"dtype":"F32","shape":[18446744073709551615,18446744073709551615],"data_offsets":[0,4]}})", 4},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 8},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4},
      {"[]", 0},
      {"{", 0}};
  for (const auto& [header, data] : cases) {
    const Bytes file = file_with(header, data);
    EXPECT_EQ(parse_safetensors(file).error().code, Errc::kMalformed) << header;
  }
  Bytes huge = file_with("{}", 0);
  huge[7] = 0x7f;
  EXPECT_EQ(parse_safetensors(huge).error().code, Errc::kTooLarge);
  EXPECT_EQ(parse_safetensors(Bytes{1, 2}).error().code, Errc::kTruncated);
}

TEST(Safetensors, SurvivesMutations) {
  const auto layout = compression::Layout::make({{"a", {2, 3}}}).value();
  const Bytes file = format_safetensors(layout, std::vector<float>(6));
  Prng random(3);
  for (int trial = 0; trial < 5000; ++trial) {
    Bytes mutated = file;
    mutated[random.below(mutated.size())] = static_cast<std::uint8_t>(random.next_u32());
    (void)parse_safetensors(mutated);
  }
}

}  // namespace
}  // namespace muster::trainer
