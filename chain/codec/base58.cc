#include "chain/codec/base58.h"

#include <algorithm>

namespace muster::chain {
namespace {

constexpr std::string_view kAlphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

// digits = digits·factor + carry, in base `base`, least significant digit first.
void multiply_add(Bytes& digits, unsigned factor, unsigned carry, unsigned base) {
  for (std::uint8_t& digit : digits) {
    carry += digit * factor;
    digit = static_cast<std::uint8_t>(carry % base);
    carry /= base;
  }
  for (; carry > 0; carry /= base) digits.push_back(static_cast<std::uint8_t>(carry % base));
}

}  // namespace

std::string base58_encode(ByteSpan bytes) {
  MUSTER_CHECK(bytes.size() <= 64, "too long for base58");
  Bytes digits;
  for (const std::uint8_t byte : bytes) multiply_add(digits, 256, byte, 58);
  const auto zeros = std::find_if(bytes.begin(), bytes.end(), [](auto byte) { return byte != 0; });
  std::string text(static_cast<std::size_t>(zeros - bytes.begin()), kAlphabet[0]);
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) text += kAlphabet[*digit];
  return text;
}

Result<Bytes> base58_decode(std::string_view text) {
  if (text.size() > kBase58CharactersMax)
    return Error{Errc::kTooLarge, "over " + std::to_string(kBase58CharactersMax) + " characters"};
  Bytes digits;
  for (const char character : text) {
    const std::size_t digit = kAlphabet.find(character);
    if (digit == std::string_view::npos)
      return Error{Errc::kMalformed, std::string("'") + character + "' is no base58 character"};
    multiply_add(digits, 58, static_cast<unsigned>(digit), 256);
  }
  const std::size_t zeros = std::min(text.find_first_not_of(kAlphabet[0]), text.size());
  digits.insert(digits.end(), zeros, 0);
  std::reverse(digits.begin(), digits.end());
  return digits;
}

}  // namespace muster::chain
