#include "chain/codec/ss58.h"

#include <gtest/gtest.h>

#include "chain/codec/base58.h"

namespace muster::chain {
namespace {

TEST(Base58, LeadingZerosAreKept) {
  const Bytes bytes{0, 0, 1, 2};
  EXPECT_EQ(base58_encode(bytes).substr(0, 2), "11");
  EXPECT_EQ(*base58_decode(base58_encode(bytes)), bytes);
  EXPECT_EQ(*base58_decode(""), Bytes{});
  EXPECT_EQ(*base58_decode("1"), Bytes{0});
}

TEST(Base58, CharactersThatLookAlikeAreNoDigits) {
  for (const char* text : {"0", "O", "I", "l", " "})
    EXPECT_EQ(base58_decode(text).error().code, Errc::kMalformed);
}

TEST(Base58, LongTextIsRefusedBeforeItIsRead) {
  EXPECT_EQ(base58_decode(std::string(kBase58CharactersMax + 1, '2')).error().code,
            Errc::kTooLarge);
}

TEST(Ss58, EveryPrefixOutsideTheReservedFormsSurvives) {
  const AccountId account{{1, 2, 3}};
  for (unsigned prefix = 0; prefix <= kSs58PrefixMax; prefix += prefix < 300 ? 1 : 97) {
    const auto decoded = ss58_decode(ss58_encode(account, static_cast<std::uint16_t>(prefix)));
    ASSERT_TRUE(decoded) << prefix;
    EXPECT_EQ(decoded->prefix, prefix);
    EXPECT_EQ(decoded->account, account);
  }
}

TEST(Ss58, AMistypedCharacterIsNamedAsSuch) {
  std::string address = ss58_encode(AccountId{{7}});
  address[20] = address[20] == '2' ? '3' : '2';
  EXPECT_EQ(ss58_decode(address).error().code, Errc::kBadHash);
}

TEST(Ss58, AnAddressOfAnotherNetworkIsNotTakenForOurs) {
  EXPECT_EQ(account_of_address(ss58_encode(AccountId{{7}}, 0)).error().code, Errc::kWrongRun);
  EXPECT_TRUE(account_of_address(ss58_encode(AccountId{{7}})));
}

}  // namespace
}  // namespace muster::chain
