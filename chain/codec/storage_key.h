// Storage keys: where a Substrate node keeps an item, twox128(pallet) ‖ twox128(item) ‖ hashed
// keys.
//
// The hashers of Subtensor's maps stand in its storage declarations. Thread safety: plain values.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/sign.h"

namespace muster::chain {

class StorageKey {
 public:
  StorageKey(std::string_view pallet, std::string_view item);

  // Each appends one map key: as it is; xxh64 and the key; blake2b-128 and the key.
  StorageKey& identity(ByteSpan key) &;
  StorageKey& twox64_concat(ByteSpan key) &;
  StorageKey& blake2_128_concat(ByteSpan key) &;
  StorageKey&& identity(std::uint16_t key) && { return std::move(identity(le_bytes(key))); }
  StorageKey&& twox64_concat(std::uint16_t key) && {
    return std::move(twox64_concat(le_bytes(key)));
  }
  StorageKey&& twox64_concat(const PublicKey& key) && {
    return std::move(twox64_concat(key.bytes));
  }
  StorageKey&& blake2_128_concat(const PublicKey& key) && {
    return std::move(blake2_128_concat(key.bytes));
  }

  [[nodiscard]] const Bytes& bytes() const { return bytes_; }

 private:
  [[nodiscard]] static std::array<std::uint8_t, 2> le_bytes(std::uint16_t key) {
    return {static_cast<std::uint8_t>(key), static_cast<std::uint8_t>(key >> 8)};
  }
  void append(ByteSpan part) { bytes_.insert(bytes_.end(), part.begin(), part.end()); }
  Bytes bytes_;
};

}  // namespace muster::chain
