#include "protocol/roster.h"

#include <algorithm>

#include "wire/codec.h"

namespace muster::protocol {
namespace {

std::string text_of(const Member& member) {
  return "uid " + std::to_string(member.uid.value) + ", hotkey " + member.hotkey.brief() + ", " +
         std::string(member.may_validate ? "with" : "without") +
         " permit to validate and with a stake of " + std::to_string(member.stake) + " rao";
}

Hash hash_of(const Member& member) { return tagged_hash("muster/member", wire::encode(member)); }

}  // namespace

RosterBlock roster_block(const RoundOpen& open) {
  return {open.ledger_block, open.ledger_block_hash, open.ledger_signature};
}

Result<LedgerView> members_behind(LedgerClient& ledger, const RosterBlock& block) {
  MUSTER_TRY(LedgerView view, ledger.members_at(block.number));
  if (view.block_hash == block.hash || !block.signature) return view;
  MUSTER_TRY(const Hash genesis, ledger.genesis_hash());
  Status same = ledger.compare({genesis, block.number, block.hash, *block.signature});
  if (!same && same.error().code == Errc::kConflict) return std::move(same).error();
  return view;
}

std::optional<RosterLie> find_lie(const RoundOpen& open, const LedgerView& view) {
  if (open.ledger_block_hash != view.block_hash)
    return RosterLie{"block " + std::to_string(view.block) + " has another hash", view.block_hash,
                     open.ledger_block_hash};
  for (const RosterEntry& entry : open.roster) {
    const auto member = std::ranges::find(view.members, entry.hotkey, &Member::hotkey);
    const bool is_known = member != view.members.end();
    Member found = is_known ? *member : Member{};
    found.uid = entry.uid;
    found.hotkey = entry.hotkey;
    found.stake = entry.stake;
    if (entry.role != Role::kMiner) found.may_validate = true;
    if (!is_known)
      return RosterLie{text_of(found) + " is not on the ledger", Hash{}, hash_of(found)};
    if (*member != found)
      return RosterLie{text_of(found) + " is on the ledger " + text_of(*member), hash_of(*member),
                       hash_of(found)};
  }
  return std::nullopt;
}

}  // namespace muster::protocol
