#include "base/cipher.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace muster {
namespace {

template <std::size_t N>
std::array<std::uint8_t, N> array_from_hex(std::string_view hex) {
  const Bytes raw = from_hex(hex).value();
  std::array<std::uint8_t, N> out{};
  std::copy(raw.begin(), raw.end(), out.begin());
  return out;
}

// NIST SP 800-38A, F.5.5 (CTR-AES256.Encrypt), first block.
TEST(Aes256Ctr, MatchesNistSp80038a) {
  const auto key =
      array_from_hex<32>("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
  const auto iv = array_from_hex<16>("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
  Bytes data = from_hex("6bc1bee22e409f96e93d7e117393172a").value();
  aes256_ctr(key, iv, data);
  EXPECT_EQ(to_hex(data), "601ec313775789a5b7a7f504bbf3d228");
  aes256_ctr(key, iv, data);
  EXPECT_EQ(to_hex(data), "6bc1bee22e409f96e93d7e117393172a") << "deciphering is enciphering again";
}

// RFC 5869, appendix A.1.
TEST(HkdfSha256, MatchesRfc5869) {
  Bytes out(42);
  hkdf_sha256(from_hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b").value(),
              from_hex("000102030405060708090a0b0c").value(),
              from_hex("f0f1f2f3f4f5f6f7f8f9").value(), out);
  EXPECT_EQ(to_hex(out),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
}

}  // namespace
}  // namespace muster
