#include "trainer/data/manifest.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/temporary_directory.h"

namespace muster::trainer {
namespace {

Manifest example() {
  Manifest manifest{.vocab = 32000, .context = 1024, .tokenizer = {}, .splits = {}};
  manifest.tokenizer = {"sentencepiece", "tokenizer.model", sha256(bytes_of("model"))};
  manifest.splits[kTrainSplit].shards = {{"train-00000.bin", 5, sha256(bytes_of("a"))},
                                         {"train-00001.bin", 7, sha256(bytes_of("b"))}};
  manifest.splits[kHeldOutSplit].shards = {{"held_out-00000.bin", 3, sha256(bytes_of("c"))}};
  return manifest;
}

// What becomes of the example when `change` is applied to its JSON.
template <class Change>
Result<Manifest> parse_changed(Change change) {
  auto json = nlohmann::json::parse(write_manifest(example()));
  change(json);
  return parse_manifest(bytes_of(json.dump()));
}

TEST(Manifest, ReadsBackWhatItWrote) {
  EXPECT_EQ(parse_manifest(bytes_of(write_manifest(example()))).value(), example());
  Manifest bytes = example();
  bytes.tokenizer = {};
  EXPECT_EQ(parse_manifest(bytes_of(write_manifest(bytes))).value(), bytes);
}

TEST(Manifest, RefusesAnotherVersionByNumber) {
  const auto parsed = parse_changed([](auto& json) { json["version"] = 2; });
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, Errc::kVersion);
  EXPECT_NE(parsed.error().message.find("version 2, this build reads 1"), std::string::npos);
}

TEST(Manifest, RefusesFileNamesThatLeadElsewhere) {
  for (const char* name : {"../train.bin", "a/b", "..", ".", "", "a\\b"}) {
    EXPECT_FALSE(parse_changed([&](auto& json) {
      json["splits"]["train"]["shards"][0]["file"] = name;
    })) << name;
    EXPECT_FALSE(parse_changed([&](auto& json) { json["tokenizer"]["file"] = name; })) << name;
  }
}

TEST(Manifest, RefusesSumsAndRootsThatAreNotItsShards) {
  EXPECT_FALSE(parse_changed([](auto& json) { json["splits"]["train"]["tokens"] = 13; }));
  EXPECT_FALSE(parse_changed([](auto& json) { json["splits"]["train"]["shards"].erase(1); }));
  EXPECT_FALSE(parse_changed(
      [](auto& json) { json["splits"]["train"]["root"] = json["splits"]["held_out"]["root"]; }));
}

TEST(Manifest, RefusesMissingAndMistypedFields) {
  for (const char* key : {"format", "version", "vocab", "context", "tokenizer", "splits"}) {
    EXPECT_FALSE(parse_changed([&](auto& json) { json.erase(key); })) << key;
    EXPECT_FALSE(parse_changed([&](auto& json) { json[key] = -1; })) << key;
  }
  for (const char* key : {"file", "tokens", "root"})
    EXPECT_FALSE(parse_changed([&](auto& json) {
      json["splits"]["train"]["shards"][0].erase(key);
    })) << key;
  EXPECT_FALSE(parse_changed(
      [](auto& json) { json["splits"]["train"]["shards"][0]["tokens"] = 1ull << 31; }));
  EXPECT_FALSE(parse_changed([](auto& json) { json["tokenizer"]["kind"] = "words"; }));
  EXPECT_FALSE(parse_manifest(bytes_of("[]")));
  EXPECT_FALSE(parse_manifest(bytes_of("")));
}

TEST(Manifest, ErrorsNameTheFolder) {
  muster::testing::TemporaryDirectory directory;
  const auto missing = read_manifest(directory.path());
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find(directory.path().string()), std::string::npos);
}

}  // namespace
}  // namespace muster::trainer
