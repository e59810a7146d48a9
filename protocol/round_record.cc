#include "protocol/round_record.h"

#include "compression/segmented_blob.h"
#include "protocol/sealed_payload.h"

namespace muster::protocol {

namespace {

// Opens envelopes that must be by roster members of `role`, strictly ascending by uid.
template <class Message>
Result<std::map<Uid, Signed<Message>>> read_by_uid(const Position& position, const RoundOpen& open,
                                                   Role role, const std::vector<Bytes>& envelopes) {
  std::map<Uid, Signed<Message>> by_uid;
  for (const Bytes& bytes : envelopes) {
    MUSTER_TRY(Signed<Message> opened, open_at<Message>(bytes, position));
    const RosterEntry* entry = find_in_roster(open, opened.sender);
    if (entry == nullptr || entry->role != role) {
      return Error{Errc::kPermission, std::string(name_of(Message::kType)) + " by " +
                                          opened.sender.brief() + ", who is no " +
                                          std::string(name_of(role)) + " of the roster"};
    }
    if (!by_uid.empty() && !(by_uid.rbegin()->first < entry->uid))
      return Error{Errc::kConflict,
                   std::string(name_of(Message::kType)) + "s are not strictly ascending by uid"};
    by_uid.emplace(entry->uid, std::move(opened));
  }
  return by_uid;
}

}  // namespace

Result<std::map<Uid, Signed<Commit>>> read_commits(const Position& position, const RoundOpen& open,
                                                   const CommitsClosed& closed) {
  if (open.excerpt) return not_whole("RoundOpen");
  if (closed.excerpt) return not_whole("CommitsClosed");
  return read_by_uid<Commit>(position, open, Role::kMiner, closed.commits);
}

std::vector<Hash> payloads_named(const CommitsClosed& closed) {
  std::vector<Hash> payloads;
  for (const Bytes& bytes : closed.commits) {
    const auto envelope = wire::reread_envelope(bytes);
    if (!envelope) continue;
    if (const auto commit = read_body<Commit>(*envelope)) payloads.push_back(commit->payload_id);
  }
  return payloads;
}

Result<std::map<Uid, Signed<Reveal>>> read_reveals(const Position& position, const RoundOpen& open,
                                                   const std::map<Uid, Signed<Commit>>& commits,
                                                   const RevealsClosed& closed) {
  MUSTER_TRY(auto reveals, read_by_uid<Reveal>(position, open, Role::kMiner, closed.reveals));
  for (const auto& [uid, reveal] : reveals) {
    if (!commits.contains(uid))
      return Error{Errc::kConflict, "RevealsClosed: a key of uid " + std::to_string(uid.value) +
                                        ", who has no commit"};
    if (reveal.message.commit_root != closed.commit_root)
      return Error{Errc::kConflict, "RevealsClosed: a key of uid " + std::to_string(uid.value) +
                                        ", which answers another close"};
  }
  return reveals;
}

Result<std::vector<WeighedScreen>> read_screens(const Position& position, const RoundOpen& open,
                                                const std::map<Uid, std::uint64_t>& weights,
                                                const std::vector<Bytes>& screens) {
  MUSTER_TRY(auto by_uid, read_by_uid<Screen>(position, open, Role::kValidator, screens));
  std::vector<WeighedScreen> weighed;
  for (auto& [uid, screen] : by_uid)
    weighed.push_back({uid, weights.at(uid), std::move(screen.message)});
  return weighed;
}

namespace {

OpenedPayload refused(OpenedPayload opened, OutcomeCode code, std::string problem) {
  opened.code = code;
  opened.problem = std::move(problem);
  return opened;
}

}  // namespace

Result<OpenedPayload> open_payload_of(const RoundContext& context, const Signed<Commit>& commit,
                                      const Signed<Reveal>* reveal, const BlobReader& blobs) {
  OpenedPayload opened;
  opened.payload_id = commit.message.payload_id;
  if (reveal == nullptr)
    return refused(std::move(opened), OutcomeCode::kKeyWithheld, "no key before the close");
  const PayloadContext sealed{context.position.run_id, context.position.round, commit.sender};
  if (payload_key_hash(sealed, reveal->message.key) != commit.message.key_hash)
    return refused(std::move(opened), OutcomeCode::kWrongKey, "the key is not the committed one");
  if (commit.message.sequences_used < context.params.sequences_min() ||
      commit.message.sequences_used > context.params.slice()) {
    return refused(std::move(opened), OutcomeCode::kOtherSequences,
                   std::to_string(commit.message.sequences_used) + " sequences used");
  }
  MUSTER_TRY(const Bytes blob, blobs(commit.message.payload_id));
  auto payload = open_payload(sealed, reveal->message.key, context.layout,
                              context.params.uplink_format(context.position.round), blob);
  if (!payload) return refused(std::move(opened), OutcomeCode::kMalformed, payload.error().message);
  const auto summary = compression::summarise(context.layout, *payload, context.threads);
  if (!summary) return refused(std::move(opened), OutcomeCode::kMalformed, summary.error().message);
  opened.norm = summary->norm;
  if (!(opened.norm >= context.params.verification.norm_min))
    return refused(std::move(opened), OutcomeCode::kBelowMinimumNorm, "norm too small");
  if (!(opened.norm <= context.norm_max)) {
    opened.norm = 0;  // what does not count stands nowhere
    return refused(std::move(opened), OutcomeCode::kAboveMaximumNorm, "norm too large");
  }
  opened.payload = std::move(*payload);
  opened.code = OutcomeCode::kAccepted;
  return opened;
}

Result<std::map<Uid, OpenedPayload>> open_payloads(const RoundContext& context,
                                                   const std::map<Uid, Signed<Commit>>& commits,
                                                   const std::map<Uid, Signed<Reveal>>& reveals,
                                                   const BlobReader& blobs) {
  std::map<Uid, OpenedPayload> opened;
  for (const auto& [uid, commit] : commits) {
    const auto reveal = reveals.find(uid);
    MUSTER_TRY(opened[uid],
               open_payload_of(context, commit, reveal == reveals.end() ? nullptr : &reveal->second,
                               blobs));
  }
  return opened;
}

bool proves_equivocation(const Evidence& evidence) {
  if (wire::message_hash(evidence.first) == wire::message_hash(evidence.second)) return false;
  const auto first = wire::open_envelope(evidence.first);
  const auto second = wire::open_envelope(evidence.second);
  if (!first || !second) return false;
  const bool exists_once = is_a(*first, MessageType::kCommit) ||
                           is_a(*first, MessageType::kReveal) || is_a(*first, MessageType::kScreen);
  return exists_once && first->type == second->type && first->sender == second->sender &&
         first->run_id == second->run_id && first->round == second->round &&
         first->parent == second->parent;
}

}  // namespace muster::protocol
