#include "chain/codec/call.h"

#include <gtest/gtest.h>

#include <map>

#include "chain/codec/signed_extrinsic.h"

namespace muster::chain {
namespace {

const SigningContext kContext{425, 1, Hash{{1}}, Hash{{2}}};
SigningKey key_of(std::uint8_t byte) { return SigningKey(Seed{byte}); }

TEST(Call, EveryCallHasItsOwnIndexAndName) {
  std::map<std::pair<int, int>, std::string_view> indices;
  std::set<std::string_view> names;
  for (std::size_t number = 0; number < kCallCount; ++number) {
    const CallId id = id_of(default_call(number));
    EXPECT_TRUE(indices.emplace(std::pair(id.pallet, id.index), id.name).second) << id.name;
    EXPECT_TRUE(names.insert(id.name).second) << id.name;
  }
}

TEST(Call, EveryCallSurvivesItsEncoding) {
  for (std::size_t number = 0; number < kCallCount; ++number) {
    const RuntimeCall call = default_call(number);
    const auto decoded = decode_call(encode_call(call));
    ASSERT_TRUE(decoded) << id_of(call).name << ": " << decoded.error().message;
    EXPECT_EQ(*decoded, call);
  }
}

TEST(Call, EveryPrefixOfACallIsRefused) {
  for (std::size_t number = 0; number < kCallCount; ++number) {
    const Bytes bytes = encode_call(default_call(number));
    for (std::size_t count = 0; count < bytes.size(); ++count)
      EXPECT_FALSE(decode_call(ByteSpan(bytes).first(count))) << id_of(default_call(number)).name;
  }
}

TEST(Call, ACallThatIsNotListedIsNamedUnknown) {
  EXPECT_EQ(decode_call(Bytes{7, 61}).error().message, name_of(ScaleFault::kUnknownCall));
}

TEST(Call, ATransferNamesItsDestinationByAccountIdOnly) {
  Bytes bytes = encode_call(TransferKeepAlive{{key_of(1).public_key()}, {1000}});
  ASSERT_TRUE(decode_call(bytes));
  bytes[2] = 1;  // an account index
  EXPECT_EQ(decode_call(bytes).error().message, name_of(ScaleFault::kUnknownTag));
}

TEST(SignedExtrinsic, IsGoodForItsContextOnly) {
  const SignedExtrinsic extrinsic = sign_call(StartCall{3}, key_of(7), 5, kContext);
  EXPECT_EQ(verify_extrinsic(extrinsic, kContext), SignatureVerdict::kGood);
  for (const SigningContext& other :
       {SigningContext{426, 1, kContext.genesis, kContext.birth_block},
        SigningContext{425, 2, kContext.genesis, kContext.birth_block},
        SigningContext{425, 1, Hash{{9}}, kContext.birth_block},
        SigningContext{425, 1, kContext.genesis, Hash{{9}}}})
    EXPECT_EQ(verify_extrinsic(extrinsic, other), SignatureVerdict::kBad);
}

TEST(SignedExtrinsic, EveryChangedByteIsRefusedOrABadSignature) {
  const Bytes bytes = encode_extrinsic(sign_call(StartCall{3}, key_of(7), 5, kContext));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    Bytes changed = bytes;
    changed[i] ^= 1;
    const auto decoded = decode_extrinsic(changed);
    if (decoded) {
      EXPECT_NE(verify_extrinsic(*decoded, kContext), SignatureVerdict::kGood) << i;
    }
  }
}

TEST(SignedExtrinsic, SurvivesItsEncoding) {
  const SignedExtrinsic extrinsic = sign_call(SetWeights{1, {0, 1}, {65535, 7}, 9}, key_of(7), 300,
                                              kContext, Era::mortal(128, 77), 5);
  const auto decoded = decode_extrinsic(encode_extrinsic(extrinsic));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, extrinsic);
}

TEST(SignedExtrinsic, LongPayloadsAreSignedByTheirHash) {
  const SignedExtrinsic brief = sign_call(StartCall{3}, key_of(7), 0, kContext);
  const SignedExtrinsic lengthy =
      sign_call(SetWeights{1, U16s(100, 1), U16s(100, 1), 0}, key_of(7), 0, kContext);
  EXPECT_GT(signing_payload(brief, kContext).size(), 32u);
  EXPECT_EQ(signing_payload(lengthy, kContext).size(), 32u);
  EXPECT_EQ(verify_extrinsic(lengthy, kContext), SignatureVerdict::kGood);
}

TEST(SignedExtrinsic, ASchemeThatThisBuildDoesNotVerifyIsNeverGood) {
  SignedExtrinsic extrinsic = sign_call(StartCall{3}, key_of(7), 5, kContext);
  extrinsic.signature.scheme = SignatureScheme::kSr25519;
  const auto decoded = decode_extrinsic(encode_extrinsic(extrinsic));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(verify_extrinsic(*decoded, kContext), SignatureVerdict::kUnsupportedScheme);
}

TEST(SignedExtrinsic, TooLongAWrongLengthAndUnsignedAreRefused) {
  EXPECT_EQ(decode_extrinsic(Bytes(kExtrinsicBytesMax + 1)).error().code, Errc::kTooLarge);
  Bytes bytes = encode_extrinsic(sign_call(StartCall{3}, key_of(7), 5, kContext));
  bytes.push_back(0);
  EXPECT_EQ(decode_extrinsic(bytes).error().code, Errc::kMalformed);
  EXPECT_EQ(decode_extrinsic(Bytes{8, 4, 0}).error().code, Errc::kVersion);
}

}  // namespace
}  // namespace muster::chain
