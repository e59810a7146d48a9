#include "chain/codec/commit_hash.h"

#include "chain/codec/blake2b.h"

namespace muster::chain {

Hash weights_commit_hash(const AccountId& hotkey, std::uint16_t index,
                         const std::vector<std::uint16_t>& uids,
                         const std::vector<std::uint16_t>& weights,
                         const std::vector<std::uint16_t>& salt, std::uint64_t version_key) {
  ScaleWriter writer;
  writer(hotkey, index, uids, weights, salt, version_key);
  return blake2b_256(writer.bytes());
}

Bytes timelocked_plaintext(const AccountId& hotkey, const std::vector<std::uint16_t>& uids,
                           const std::vector<std::uint16_t>& weights, std::uint64_t version_key) {
  ScaleWriter writer;
  writer.write_compact(hotkey.bytes.size());
  writer(hotkey, uids, weights, version_key);
  return std::move(writer).take();
}

}  // namespace muster::chain
