#include "trainer/data/corpus.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/prng.h"
#include "tests/temporary_directory.h"
#include "trainer/data/token_file.h"

namespace muster::trainer {
namespace {

TEST(Corpus, HoldsOutEveryFiftiethBlockAndCutsNoSequenceAcrossBlocks) {
  muster::testing::TemporaryDirectory directory;
  std::filesystem::create_directories(directory / "src/sub");
  Prng random(1);
  for (const char* name : {"src/a.h", "src/sub/b.hpp", "src/skip.txt"}) {
    Bytes content(2'000'000);
    for (auto& byte : content) byte = static_cast<std::uint8_t>(random.next_u32());
    ASSERT_TRUE(replace_file(directory / name, content));
  }
  const auto paths = build_corpus(directory / "src", directory / "out", 128).value();
  const auto train = TokenFile::open(paths.train).value();
  const auto held_out = TokenFile::open(paths.held_out).value();
  constexpr std::uint64_t kPerBlock = 65536 / 129;
  EXPECT_EQ(held_out.sequences(128), kPerBlock) << "4 MB are 61 blocks: one is held out";
  EXPECT_EQ(train.sequences(128), 60 * kPerBlock);
  const auto again = build_corpus(directory / "src", directory / "out2", 128).value();
  EXPECT_EQ(TokenFile::open(again.train).value().root(), train.root());
}

TEST(Corpus, SaysWhenThereAreNoHeaders) {
  muster::testing::TemporaryDirectory directory;
  EXPECT_EQ(build_corpus(directory.path(), directory / "out", 128).error().code, Errc::kNotFound);
}

}  // namespace
}  // namespace muster::trainer
