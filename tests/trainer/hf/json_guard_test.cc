#include "trainer/hf/json_guard.h"

#include <gtest/gtest.h>

namespace muster::trainer {
namespace {

Result<nlohmann::json> parse(std::string_view text, int depth_max = 3) {
  return parse_json(bytes_of(text), depth_max, "a file");
}

TEST(JsonGuard, ParsesWithinItsDepth) {
  EXPECT_EQ(parse(R"({"a": {"b": [1]}})").value()["a"]["b"][0], 1);
  EXPECT_EQ(parse(R"({"a": [[1]], "b": [[2]]})").value().size(), 2u);
}

TEST(JsonGuard, RefusesWhatIsDeeper) {
  EXPECT_EQ(parse(R"({"a": {"b": [[1]]}})").error().code, Errc::kMalformed);
  EXPECT_EQ(parse(std::string(1u << 20, '{')).error().code, Errc::kMalformed);
}

TEST(JsonGuard, DoesNotCountBracketsInText) {
  EXPECT_TRUE(parse(R"({"a": "[[[[\"[[{{"})"));
  EXPECT_EQ(parse(R"({"a": "\\", "b": [[[1]]]})").error().code, Errc::kMalformed);
}

TEST(JsonGuard, RefusesRepeatedNamesOfOneObjectOnly) {
  EXPECT_TRUE(parse(R"({"a": {"x": 1}, "b": {"x": 1}})"));
  EXPECT_EQ(parse(R"({"a": {"x": 1, "x": 2}})").error().code, Errc::kMalformed);
  EXPECT_EQ(parse(R"({"": 1, "": 2})").error().code, Errc::kMalformed);
}

TEST(JsonGuard, RefusesWhatIsNotOneValueAndNamesTheFile) {
  for (const char* text : {"", "{", "{} {}", "nul", "{\"a\": 1,}", "\"\xff\""}) {
    const auto parsed = parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().message.find("a file"), std::string::npos);
  }
}

}  // namespace
}  // namespace muster::trainer
