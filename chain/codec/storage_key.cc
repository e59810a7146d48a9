#include "chain/codec/storage_key.h"

#include "chain/codec/blake2b.h"
#include "chain/codec/twox.h"

namespace muster::chain {

StorageKey::StorageKey(std::string_view pallet, std::string_view item) {
  append(twox128(bytes_of(pallet)));
  append(twox128(bytes_of(item)));
}

StorageKey& StorageKey::identity(ByteSpan key) & {
  append(key);
  return *this;
}

StorageKey& StorageKey::twox64_concat(ByteSpan key) & {
  append(twox64(key));
  return identity(key);
}

StorageKey& StorageKey::blake2_128_concat(ByteSpan key) & {
  append(blake2b_128(key));
  return identity(key);
}

}  // namespace muster::chain
