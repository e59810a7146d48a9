#include "trainer/data/byte_tokenizer.h"

#include <gtest/gtest.h>

#include <set>

namespace muster::trainer {
namespace {

TEST(ByteTokenizer, WritesPrintableAsciiAsItself) {
  for (int byte = '!'; byte <= '~'; ++byte)
    EXPECT_EQ(byte_symbol(static_cast<std::uint8_t>(byte)),
              std::string(1, static_cast<char>(byte)));
}

TEST(ByteTokenizer, UsesTheSymbolsOfByteLevelBpe) {
  EXPECT_EQ(byte_symbol(' '), "Ġ");
  EXPECT_EQ(byte_symbol('\n'), "Ċ");
  EXPECT_EQ(byte_symbol('\t'), "ĉ");
  EXPECT_EQ(byte_symbol(0x00), "Ā");
  EXPECT_EQ(byte_symbol(0x7f), "ġ");
  EXPECT_EQ(byte_symbol(0xa0), "ł");
  EXPECT_EQ(byte_symbol(0xad), "Ń");
  EXPECT_EQ(byte_symbol(0xe9), "é");
}

TEST(ByteTokenizer, GivesEveryByteASymbolOfItsOwn) {
  std::set<std::string> symbols;
  for (int byte = 0; byte < 256; ++byte)
    symbols.insert(byte_symbol(static_cast<std::uint8_t>(byte)));
  EXPECT_EQ(symbols.size(), 256u);
}

TEST(ByteTokenizer, NumbersTokensByTheirByte) {
  const std::string json = byte_tokenizer_json();
  EXPECT_NE(json.find("\"A\": 65"), std::string::npos);
  EXPECT_NE(json.find("\"Ġ\": 32"), std::string::npos);
  EXPECT_NE(json.find("\"merges\": []"), std::string::npos);
}

TEST(ByteTokenizer, StatesTheContextForTruncation) {
  EXPECT_NE(byte_tokenizer_config_json(96).find("\"model_max_length\": 96"), std::string::npos);
}

}  // namespace
}  // namespace muster::trainer
