#include "protocol/listed_messages.h"

#include <algorithm>

#include "base/limits.h"

namespace muster::protocol {
namespace {

struct List {
  bool whole = true;
  std::vector<Bytes> items;  // a miner's form: one or none
  std::uint32_t rank = 0;    // of that one
  std::vector<Hash> path;    // of that one
  template <class Archive>
  void serialize(Archive& archive) {
    archive(whole, items, rank, path);
  }
};

struct OpenBody {
  RoundOpen open;  // without its miners
  std::uint32_t miners = 0;
  Hash miners_root;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(open.state_id, open.ledger_block, open.ledger_block_hash, open.ledger_signature,
            open.roster, miners, miners_root, open.beacon, open.epoch, open.cursor, open.train_ms,
            open.reveal_ms, open.screen_ms, open.attestations);
  }
};

struct ClosedBody {
  std::uint32_t commits = 0;
  Hash commit_root;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(commits, commit_root);
  }
};

MerkleTree tree_of(const std::vector<Bytes>& items) {
  std::vector<Hash> leaves;
  for (const Bytes& item : items) leaves.push_back(merkle_leaf(item));
  return MerkleTree(std::move(leaves));
}

// Reads a list of `count` items with this root, or one miner's part of it.
Result<List> read_list(ByteSpan attachment, std::uint32_t count, const Hash& root,
                       std::string_view what) {
  MUSTER_TRY(List list, wire::decode<List>(attachment, what));
  const Error wrong{Errc::kBadHash, std::string(what) + ": its list is not the one that is signed"};
  if (count > limits::kRosterMax)
    return Error{Errc::kTooLarge, std::string(what) + ": a list of over 256 items"};
  if (list.whole) {
    if (list.rank != 0 || !list.path.empty())
      return Error{Errc::kMalformed, std::string(what) + ": a path beside a whole list"};
    if (list.items.size() != count || tree_of(list.items).root() != root) return wrong;
    return list;
  }
  if (list.items.size() > 1 || (list.items.empty() && (list.rank != 0 || !list.path.empty())))
    return Error{Errc::kMalformed, std::string(what) + ": neither a whole list nor one item of it"};
  if (!list.items.empty()) {
    MUSTER_TRY(const Hash reached,
               merkle_root_of_path(merkle_leaf(list.items[0]), list.rank, count, list.path));
    if (reached != root) return wrong;
  }
  return list;
}

std::optional<Excerpt> excerpt_of(const List& list, std::uint32_t count) {
  if (list.whole) return std::nullopt;
  return Excerpt{count, list.items.empty() ? std::nullopt : std::optional(list.rank)};
}

}  // namespace

Hash commit_root_of(const std::vector<Bytes>& commits) { return tree_of(commits).root(); }

MessageParts parts_of(const RoundOpen& message) {
  MUSTER_CHECK(!message.excerpt, "a miner's form is not signed again");
  OpenBody body{message, 0, {}};
  std::erase_if(body.open.roster,
                [](const RosterEntry& entry) { return entry.role == Role::kMiner; });
  List list;
  for (const RosterEntry& entry : message.roster)
    if (entry.role == Role::kMiner) list.items.push_back(wire::encode(entry));
  body.miners = static_cast<std::uint32_t>(list.items.size());
  body.miners_root = tree_of(list.items).root();
  return {wire::encode(body), wire::encode(list)};
}

MessageParts parts_of(const CommitsClosed& message) {
  MUSTER_CHECK(!message.excerpt, "a miner's form is not signed again");
  return {wire::encode(
              ClosedBody{static_cast<std::uint32_t>(message.commits.size()), message.commit_root}),
          wire::encode(List{true, message.commits, 0, {}})};
}

template <>
Result<RoundOpen> message_of<RoundOpen>(ByteSpan body, ByteSpan attachment) {
  MUSTER_TRY(OpenBody read, wire::decode<OpenBody>(body, "RoundOpen"));
  MUSTER_TRY(const List list, read_list(attachment, read.miners, read.miners_root, "RoundOpen"));
  const auto misplaced = [](const char* role) {
    return Error{Errc::kMalformed,
                 std::string("RoundOpen: a ") + role + " in the wrong part of the roster"};
  };
  std::vector<RosterEntry> miners;
  for (const Bytes& item : list.items) {
    MUSTER_TRY(miners.emplace_back(), wire::decode<RosterEntry>(item, "RoundOpen roster"));
    if (miners.back().role != Role::kMiner) return misplaced("validator");
  }
  RoundOpen open = std::move(read.open);
  if (std::ranges::count(open.roster, Role::kMiner, &RosterEntry::role) > 0)
    return misplaced("miner");
  if (!std::ranges::is_sorted(miners, {}, &RosterEntry::uid) ||
      !std::ranges::is_sorted(open.roster, {}, &RosterEntry::uid))
    return Error{Errc::kMalformed, "RoundOpen: a roster that does not ascend by uid"};
  const auto middle = open.roster.insert(open.roster.end(), miners.begin(), miners.end());
  std::ranges::inplace_merge(open.roster, middle, {}, &RosterEntry::uid);
  open.excerpt = excerpt_of(list, read.miners);
  return open;
}

template <>
Result<CommitsClosed> message_of<CommitsClosed>(ByteSpan body, ByteSpan attachment) {
  MUSTER_TRY(const ClosedBody read, wire::decode<ClosedBody>(body, "CommitsClosed"));
  MUSTER_TRY(List list, read_list(attachment, read.commits, read.commit_root, "CommitsClosed"));
  const auto excerpt = excerpt_of(list, read.commits);
  return CommitsClosed{std::move(list.items), read.commit_root, excerpt};
}

Error not_whole(std::string_view message) {
  return Error{Errc::kNotFound,
               std::string(message) + ": the form of a single miner, and its whole list is needed"};
}

MinerForms::MinerForms(ByteSpan whole)
    : envelope_(wire::reread_envelope(whole).value()), tree_({}) {
  items_ = wire::decode<List>(envelope_.attachment, "list").value().items;
  tree_ = tree_of(items_);
  const bool of_entries = envelope_.type == static_cast<std::uint8_t>(MessageType::kRoundOpen);
  for (std::uint32_t rank = 0; rank < items_.size(); ++rank) {
    const PublicKey owner = of_entries
                                ? wire::decode<RosterEntry>(items_[rank], "roster").value().hotkey
                                : wire::reread_envelope(items_[rank]).value().sender;
    ranks_.emplace(owner, rank);
  }
}

Bytes MinerForms::form_for(const PublicKey& hotkey) const {
  List list{.whole = false, .items = {}, .rank = 0, .path = {}};
  if (const auto found = ranks_.find(hotkey); found != ranks_.end())
    list = {false, {items_[found->second]}, found->second, tree_.path(found->second)};
  wire::Envelope form = envelope_;
  form.attachment = wire::encode(list);
  return wire::encode_envelope(form);
}

}  // namespace muster::protocol
