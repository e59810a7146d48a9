#include "chain/codec/ss58.h"

#include <algorithm>

#include "chain/codec/base58.h"
#include "chain/codec/blake2b.h"

namespace muster::chain {
namespace {

constexpr std::size_t kChecksumBytes = 2;

// 0..63 is the byte itself; above, 14 bits are spread over two bytes of which the first is 64..127.
Bytes prefix_bytes(std::uint16_t prefix) {
  if (prefix < 64) return {static_cast<std::uint8_t>(prefix)};
  return {static_cast<std::uint8_t>(((prefix & 0xfc) >> 2) | 0x40),
          static_cast<std::uint8_t>((prefix >> 8) | ((prefix & 3) << 6))};
}

std::array<std::uint8_t, kChecksumBytes> checksum(ByteSpan content) {
  Bytes input{'S', 'S', '5', '8', 'P', 'R', 'E'};
  input.insert(input.end(), content.begin(), content.end());
  const auto hash = blake2b_512(input);
  return {hash[0], hash[1]};
}

}  // namespace

std::string ss58_encode(const AccountId& account, std::uint16_t prefix) {
  MUSTER_CHECK(prefix <= kSs58PrefixMax, "SS58 prefix over 14 bits");
  Bytes content = prefix_bytes(prefix);
  content.insert(content.end(), account.bytes.begin(), account.bytes.end());
  const auto sum = checksum(content);
  content.insert(content.end(), sum.begin(), sum.end());
  return base58_encode(content);
}

Result<Ss58Address> ss58_decode(std::string_view text) {
  MUSTER_TRY(const Bytes bytes, base58_decode(text));
  const Error wrong{Errc::kMalformed, "not the SS58 address of an account"};
  if (bytes.empty() || bytes[0] >= 128) return wrong;
  const std::size_t prefix_count = bytes[0] < 64 ? 1 : 2;
  Ss58Address address;
  if (bytes.size() != prefix_count + address.account.bytes.size() + kChecksumBytes) return wrong;
  address.prefix = prefix_count == 1
                       ? bytes[0]
                       : static_cast<std::uint16_t>(((bytes[0] & 0x3f) << 2) | (bytes[1] >> 6) |
                                                    ((bytes[1] & 0x3f) << 8));
  if (prefix_count == 2 && address.prefix < 64) return wrong;
  const ByteSpan content = ByteSpan(bytes).first(bytes.size() - kChecksumBytes);
  if (!std::ranges::equal(checksum(content), ByteSpan(bytes).last(kChecksumBytes)))
    return Error{Errc::kBadHash, "the checksum of the SS58 address is wrong; was it mistyped?"};
  std::ranges::copy(content.subspan(prefix_count), address.account.bytes.begin());
  return address;
}

Result<AccountId> account_of_address(std::string_view text) {
  MUSTER_TRY(const Ss58Address address, ss58_decode(text));
  if (address.prefix != kSubtensorPrefix)
    return Error{Errc::kWrongRun, "an address of network " + std::to_string(address.prefix) +
                                      ", not of " + std::to_string(kSubtensorPrefix)};
  return address.account;
}

}  // namespace muster::chain
