#include "protocol/anchor.h"

#include <algorithm>

namespace muster::protocol {
namespace {

constexpr std::string_view kTag = "muster1";
constexpr std::size_t kRunBytes = 16;

}  // namespace

Hash extend(const Hash& list, ByteSpan item) {
  return tagged_hash("muster/anchored-list", {list.bytes, item});
}

Bytes encode_anchor(const Anchor& anchor) {
  ByteWriter writer;
  writer.append(bytes_of(kTag));
  writer.append(ByteSpan(anchor.run_id.bytes).first(kRunBytes));
  writer.write(anchor.round.value);
  for (const Hash* hash : {&anchor.manifest, &anchor.left_out, &anchor.disputes})
    writer.append(hash->bytes);
  return std::move(writer).take();
}

std::optional<Anchor> decode_anchor(ByteSpan bytes, const Hash& run_id) {
  const auto starts_with = [](ByteSpan text, ByteSpan start) {
    return text.size() >= start.size() && std::ranges::equal(text.first(start.size()), start);
  };
  if (!starts_with(bytes, bytes_of(kTag))) return std::nullopt;
  bytes = bytes.subspan(kTag.size());
  if (!starts_with(bytes, ByteSpan(run_id.bytes).first(kRunBytes))) return std::nullopt;
  ByteReader reader(bytes.subspan(kRunBytes));
  Anchor anchor{run_id, Round{reader.read<std::uint64_t>()}, {}, {}, {}};
  for (Hash* hash : {&anchor.manifest, &anchor.left_out, &anchor.disputes}) {
    const ByteSpan read = reader.take(hash->bytes.size());
    if (read.size() != hash->bytes.size()) return std::nullopt;
    std::ranges::copy(read, hash->bytes.begin());
  }
  if (!reader.finished()) return std::nullopt;
  return anchor;
}

std::vector<SeenAnchor> anchors_of(const Metagraph& metagraph) {
  std::vector<SeenAnchor> anchors;
  for (const Neuron& neuron : metagraph.neurons)
    if (neuron.permit && neuron.stake >= metagraph.stake_min && !neuron.committed.empty())
      anchors.push_back({neuron.hotkey, neuron.committed});
  return anchors;
}

void AnchorWatch::reach(const Position& at) {
  if (at.round == Round{0}) return;
  manifests_[Round{at.round.value - 1}] = at.parent;
  if (manifests_.size() > kRoundsKept) manifests_.erase(manifests_.begin());
}

std::vector<std::string> AnchorWatch::compare(const std::vector<SeenAnchor>& anchors) {
  std::vector<std::string> differences;
  for (const auto& [by, bytes] : anchors) {
    const auto anchor = decode_anchor(bytes, run_id_);
    if (!anchor) continue;
    const auto own = manifests_.find(anchor->round);
    if (own == manifests_.end() || own->second == anchor->manifest || !said_.insert(by).second)
      continue;
    differences.push_back("the validator " + by.brief() + " anchored another manifest of round " +
                          std::to_string(anchor->round.value) + " on the ledger, " +
                          anchor->manifest.brief() + ", than this node applied, " +
                          own->second.brief() +
                          ": the coordinator shows two runs, or that validator lies; compare with "
                          "`muster audit` of its folder");
  }
  return differences;
}

}  // namespace muster::protocol
