#include "trainer/data/text_stream.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/temporary_directory.h"
#include "tests/trainer/data/sentencepiece_model.h"

namespace muster::trainer {
namespace {

// Prompt and everything that comes after it, token by token.
std::string streamed(const Tokenizer& tokenizer, std::span<const std::int32_t> tokens,
                     std::size_t prompt) {
  std::string text = tokenizer.decode(tokens.first(prompt)).value();
  auto stream = TextStream::make(tokenizer, tokens.first(prompt)).value();
  for (const std::int32_t token : tokens.subspan(prompt)) text += stream.next(token).value();
  return text;
}

TEST(TextStream, SaysWhatTheWholeTextSaysFromAnyPromptOn) {
  muster::testing::TemporaryDirectory directory;
  ASSERT_TRUE(
      replace_file(directory / "m.model", bytes_of(muster::testing::sentencepiece_model())));
  const auto pieces = load_tokenizer(directory / "m.model").value();
  const auto bytes = make_byte_tokenizer();
  std::string text = "the miner pays";
  for (int i = 0; i < 60; ++i) text += " every peer the miner pays";
  for (const Tokenizer* tokenizer : {pieces.get(), bytes.get()}) {
    const auto tokens = tokenizer->encode(text).value();
    ASSERT_GT(tokens.size(), 200u) << "several groups";
    for (const std::size_t prompt : {1u, 5u, 63u, 64u, 70u})
      EXPECT_EQ(streamed(*tokenizer, tokens, prompt), text);
  }
}

TEST(TextStream, RefusesATokenThatTheTokenizerDoesNotHave) {
  const auto bytes = make_byte_tokenizer();
  auto stream = TextStream::make(*bytes, {}).value();
  EXPECT_EQ(stream.next('a').value(), "a");
  EXPECT_EQ(stream.next(256).error().code, Errc::kInvalidArgument);
}

}  // namespace
}  // namespace muster::trainer
