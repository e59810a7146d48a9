#include "trainer/hf/safetensors.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/prng.h"
#include "tests/temporary_directory.h"

namespace muster::trainer {
namespace {

Bytes file_with(const std::string& header, std::size_t data_bytes) {
  ByteWriter writer;
  writer.write(static_cast<std::uint64_t>(header.size()));
  writer.append(bytes_of(header));
  writer.append(Bytes(data_bytes));
  return std::move(writer).take();
}

// What write_safetensors makes of the layout.
Bytes written(const compression::Layout& layout, std::span<const float> values) {
  muster::testing::TemporaryDirectory directory;
  const Status status = write_safetensors(directory / "f", layout.tensors(), values);
  MUSTER_CHECK(status.has_value(), "write_safetensors");
  return read_file(directory / "f", 1u << 20).value();
}

StoredTensor tensor_of(const std::string& dtype, const Bytes& bytes) {
  return {dtype, {bytes.size() / (dtype == "F32" ? 4 : 2)}, bytes};
}

TEST(Safetensors, RoundTripALayout) {
  const auto layout = compression::Layout::make({{"a", {2, 3}}, {"b", {4}}}).value();
  const std::vector<float> values{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  const Bytes file = written(layout, values);
  const auto tensors = parse_safetensors(file).value();
  EXPECT_EQ(tensors.at("a").shape, (std::vector<std::uint64_t>{2, 3}));
  std::vector<float> b(4);
  ASSERT_TRUE(read_floats(tensors.at("b"), b));
  EXPECT_EQ(b, (std::vector<float>{6, 7, 8, 9}));
}

TEST(Safetensors, WritesSomeTensorsOfALayout) {
  const auto layout = compression::Layout::make({{"a", {2}}, {"b", {3}}}).value();
  muster::testing::TemporaryDirectory directory;
  const std::vector<float> values{0, 1, 2, 3, 4};
  ASSERT_TRUE(write_safetensors(directory / "f", std::span(layout.tensors()).last(1), values));
  const Bytes file = read_file(directory / "f", 1u << 20).value();
  const auto tensors = parse_safetensors(file).value();
  ASSERT_EQ(tensors.size(), 1u);
  std::vector<float> b(3);
  ASSERT_TRUE(read_floats(tensors.at("b"), b));
  EXPECT_EQ(b, (std::vector<float>{2, 3, 4}));
}

TEST(Safetensors, ReadsSixteenBitNumbersExactly) {
  std::vector<float> out(2);
  ASSERT_TRUE(read_floats(tensor_of("BF16", {0x80, 0x3f, 0x49, 0x40}), out));
  EXPECT_EQ(out, (std::vector<float>{1, 3.140625}));
  ASSERT_TRUE(read_floats(tensor_of("F16", {0x00, 0x3c, 0x48, 0x42}), out));
  EXPECT_EQ(out, (std::vector<float>{1, 3.140625}));
}

TEST(Safetensors, RefusesOtherFormatsAndCountsAndNumbersThatAreNone) {
  std::vector<float> out(1);
  EXPECT_EQ(read_floats(tensor_of("I16", {0, 0}), out).error().code, Errc::kInvalidArgument);
  EXPECT_EQ(read_floats(tensor_of("BF16", {0, 0, 0, 0}), out).error().code, Errc::kInvalidArgument);
  EXPECT_EQ(read_floats(tensor_of("F32", {0, 0, 0x80, 0x7f}), out).error().code, Errc::kNonFinite);
  EXPECT_EQ(read_floats(tensor_of("BF16", {0xc0, 0xff}), out).error().code, Errc::kNonFinite);
  EXPECT_EQ(read_floats(tensor_of("F16", {0x00, 0x7c}), out).error().code, Errc::kNonFinite);
}

TEST(Safetensors, RefusesHostileHeadersByReason) {
  const std::pair<const char*, std::size_t> cases[] = {
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 4},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[8,4]}})", 8},
      {R"({"a":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}})", 4},
      {R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4},
      {R"({"a":{"dtype":"F32","shape":[18446744073709551615,18446744073709551615],"data_offsets":[0,4]}})",
       4},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
       4},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 8},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
       4},
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
  const Bytes file = written(layout, std::vector<float>(6));
  Prng random(3);
  for (int trial = 0; trial < 5000; ++trial) {
    Bytes mutated = file;
    mutated[random.below(mutated.size())] = static_cast<std::uint8_t>(random.next_u32());
    (void)parse_safetensors(mutated);
  }
}

}  // namespace
}  // namespace muster::trainer
