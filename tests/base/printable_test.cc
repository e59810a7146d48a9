#include "base/printable.h"

#include <gtest/gtest.h>

namespace muster {
namespace {

TEST(Printable, LeavesOrdinaryTextAsItIs) {
  EXPECT_EQ(printable("AVX512-BF16, θ = 日本 😀"), "AVX512-BF16, θ = 日本 😀");
}

TEST(Printable, EscapesWhatActsOnATerminal) {
  EXPECT_EQ(printable("a\x1b[2Jb\n"), "a\\x1b[2Jb\\x0a");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\x9b31m")
      << "CSI as one character of C1";
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
}

TEST(Printable, EscapesWhatTurnsOrHidesText) {
  EXPECT_EQ(printable("user\u202Etxt"), "user\\u{202e}txt");
  EXPECT_EQ(printable("a\u200Bb"), "a\\u{200b}b");
}

TEST(Printable, EscapesBytesThatAreNoUtf8) {
  EXPECT_EQ(printable("\xff"), "\\xff");
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf") << "a longer form than the shortest";
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
  EXPECT_EQ(printable("\xe6\x97"), "\\xe6\\x97") << "cut off";
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "beyond U+10FFFF";
}

TEST(Printable, IsBoundedWithoutBreakingACharacter) { EXPECT_EQ(printable("日本語", 7), "日本…"); }

}  // namespace
}  // namespace muster
