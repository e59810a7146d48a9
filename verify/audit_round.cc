// The audit's round: payloads against what was committed, and the manifest made again from them.
#include "compression/segmented_blob.h"
#include "protocol/beacon.h"
#include "protocol/seal_record.h"
#include "protocol/sealed_payload.h"
#include "state/outer_step.h"
#include "state/state_root.h"
#include "verify/audit.h"
#include "verify/manifest_check.h"

namespace muster::verify {

using protocol::MessageType;
using protocol::OutcomeCode;

namespace {

// A blob's bytes when it is there and has the id it is asked for by.
struct CheckedBlob {
  std::optional<Bytes> bytes;
  std::string problem;
};

CheckedBlob read_checked(const protocol::BlobReader& blobs, const Hash& id, unsigned threads) {
  auto bytes = blobs(id);
  if (!bytes) return {{}, "is not there"};
  const auto actual = compression::blob_id(*bytes, threads);
  if (!actual) return {{}, "is damaged (" + actual.error().message + ")"};
  if (*actual != id) return {{}, "has other content, whose id is " + actual->brief()};
  return {std::move(*bytes), {}};
}

}  // namespace

// ---- payloads

bool Audit::open_payloads() {
  const protocol::RoundContext context{params_, layout_, head_.position(), head_.norm_max(),
                                       options_.threads};
  report_.hold(Check::kKeys, progress_.reveals.size());
  std::map<Hash, std::string> problems;
  const auto blobs = [&](const Hash& id) -> Result<Bytes> {
    auto blob = read_checked(blobs_, id, options_.threads);
    if (blob.bytes) {
      report_.hold(Check::kPayloads);
      return std::move(*blob.bytes);
    }
    problems[id] = blob.problem;
    return Bytes{};
  };
  auto opened = protocol::open_payloads(context, progress_.commits, progress_.reveals, blobs);
  MUSTER_CHECK(opened.has_value(), "a blob reader that never fails");
  progress_.payloads = std::move(*opened);
  progress_.payloads_known = problems.empty();
  // Nobody opens a payload whose key was withheld; it must be the committed one all the same.
  for (const auto& [uid, payload] : progress_.payloads)
    if (payload.code == OutcomeCode::kKeyWithheld) (void)blobs(payload.payload_id);
  for (const auto& [uid, commit] : progress_.commits) {
    const auto problem = problems.find(commit.message.payload_id);
    if (problem == problems.end()) continue;
    if (options_.payloads_left_out) {
      report_.skip(Check::kPayloads);
    } else {
      fail(Check::kPayloads, commit.sender,
           "the payload that uid " + std::to_string(uid.value) + " committed " + problem->second,
           commit.message.payload_id.brief(), "none with this id");
    }
  }
  return true;
}

namespace {

// What the manifest says of payloads that nobody can look at.
std::map<Uid, protocol::OpenedPayload> claimed_payloads(
    const std::map<Uid, protocol::OpenedPayload>& opened, const protocol::SealRecord& record) {
  auto claimed = opened;
  for (const auto& outcome : record.outcomes) {
    const auto payload = claimed.find(outcome.uid);
    if (payload == claimed.end()) continue;
    auto& [code, id, content, norm, problem] = payload->second;
    const bool by_commit = code == OutcomeCode::kKeyWithheld || code == OutcomeCode::kWrongKey ||
                           code == OutcomeCode::kOtherSequences;
    if (by_commit) continue;
    const bool unreadable = outcome.code == OutcomeCode::kMalformed ||
                            outcome.code == OutcomeCode::kBelowMinimumNorm ||
                            outcome.code == OutcomeCode::kAboveMaximumNorm;
    code = unreadable ? outcome.code : OutcomeCode::kAccepted;
    norm = outcome.norm;
    content = {};
  }
  return claimed;
}

}  // namespace

// ---- the manifest

protocol::SealInputs Audit::inputs_for(const protocol::SealRecord& record,
                                       const std::map<Uid, protocol::OpenedPayload>& payloads,
                                       const std::map<Uid, std::uint32_t>& arrivals) const {
  return {{params_, layout_, head_.position(), head_.norm_max(), options_.threads},
          head_,
          progress_.open->message,
          wire::message_hash(progress_.open->bytes),
          wire::message_hash(progress_.reveals_closed),
          progress_.commit_root,
          payloads,
          arrivals,
          record.screens,
          record.evidence};
}

void Audit::aggregate_missing(const protocol::Manifest& manifest, const std::string& problem) {
  fail(Check::kAggregates, params_.coordinator, "the aggregate that the Manifest names " + problem,
       manifest.aggregate_id.brief(), "none with this id");
}

// Nothing depends on the stored blob where the aggregate was made again; it must be that one all
// the same.
void Audit::check_aggregate_blob(const protocol::Manifest& manifest, const Bytes& expected) {
  const auto stored = blobs_(manifest.aggregate_id);
  if (!stored) return aggregate_missing(manifest, "is not there");
  if (*stored != expected) aggregate_missing(manifest, "has other content than the one made again");
}

bool Audit::take_aggregate_from_blob(const protocol::Manifest& manifest,
                                     compression::Payload& aggregate) {
  report_.skip(Check::kAggregates);
  residual_known_ = false;
  const Hash after = state::next_state_id(head_.state_id(), manifest.aggregate_id);
  if (after != manifest.state_id_after)
    return stop(Check::kStateIds, params_.coordinator, "Manifest: state id after", after.brief(),
                manifest.state_id_after.brief());
  report_.hold(Check::kStateIds);
  auto blob = read_checked(blobs_, manifest.aggregate_id, options_.threads);
  if (blob.bytes) {
    auto read = protocol::read_aggregate(head_.position().run_id, head_.round(), layout_,
                                         params_.downlink_format(head_.round()), *blob.bytes);
    if (read && compression::summarise(layout_, *read, options_.threads)) {
      aggregate = std::move(*read);
      return true;
    }
    blob.problem = "is not in the round's format";
  }
  aggregate_missing(manifest, blob.problem);
  return false;
}

std::optional<protocol::SealRecord> Audit::read_record(const protocol::Manifest& manifest) {
  auto blob = read_checked(blobs_, manifest.record_id, options_.threads);
  if (blob.bytes) {
    if (auto record = protocol::decode_record(*blob.bytes)) return std::move(*record);
    blob.problem = "cannot be read";
  }
  stop(Check::kTally, params_.coordinator, "the record that the Manifest names " + blob.problem,
       manifest.record_id.brief(), "none with this id");
  return std::nullopt;
}

std::vector<AuditedScreen> Audit::read_screens(const protocol::SealRecord& record) {
  std::vector<AuditedScreen> screens;
  for (const Bytes& bytes : record.screens) {
    const auto envelope = wire::reread_envelope(bytes).value();  // opened by the seal
    const auto* entry = protocol::find_in_roster(progress_.open->message, envelope.sender);
    AuditedScreen screen{entry->uid, entry->hotkey, entry->stake, false,
                         protocol::read_body<protocol::Screen>(envelope).value()};
    const auto promised = head_.secret_hash_of(entry->hotkey);
    const Hash revealed = protocol::secret_hash(head_.position().run_id, head_.round(),
                                                entry->hotkey, screen.screen.secret);
    screen.promised = promised == revealed;
    if (!promised) {
      report_.skip(Check::kSecrets);
    } else if (screen.promised) {
      report_.hold(Check::kSecrets);
    } else {
      fail(Check::kSecrets, entry->hotkey, "Screen: its secret is not the promised one",
           promised->brief(), revealed.brief());
    }
    if (screen.screen.commit_root == progress_.commit_root) {
      report_.hold(Check::kCloses);
    } else {
      fail(Check::kCloses, entry->hotkey,
           "Screen about another close: two were signed, or it made one up",
           progress_.commit_root.brief(), screen.screen.commit_root.brief());
    }
    screens.push_back(std::move(screen));
  }
  report_.hold(Check::kSignatures, screens.size());
  return screens;
}

// What the coordinator had and did not put into the manifest.
void Audit::check_left_out(const protocol::SealRecord& record) {
  std::set<Hash> kept;
  for (const Bytes& screen : record.screens) kept.insert(wire::message_hash(screen));
  for (const auto& item : record.evidence)
    kept.insert({wire::message_hash(item.first), wire::message_hash(item.second)});
  for (const auto& [key, versions] : progress_.received) {
    const auto& [type, sender] = key;
    if (versions.size() > 1 && !kept.contains(versions[1]))
      fail(Check::kTally, params_.coordinator,
           "Manifest: no evidence of the two different " + std::string(name_of(type)) + "s of " +
               describe(signer_of(sender)));
    if (type == MessageType::kScreen && !kept.contains(versions[0]))
      fail(
          Check::kTally, params_.coordinator,
          "Manifest: without the Screen of " + describe(signer_of(sender)) + ", which had arrived");
  }
  for (const auto& item : record.evidence)
    if (!protocol::proves_equivocation(item))
      fail(Check::kTally, params_.coordinator, "Manifest: evidence that proves nothing");
}

Result<protocol::SealedRound> Audit::seal_again(const protocol::SealInputs& inputs,
                                                bool from_payloads) {
  if (from_payloads) return protocol::seal(inputs, residual_);
  return protocol::rule(inputs);
}

Result<bool> Audit::take_manifest(const wire::Envelope& envelope, ByteSpan bytes) {
  if (progress_.reveals_closed.empty())
    return stop(Check::kManifestChain, envelope.sender, "Manifest before RevealsClosed");
  const auto manifest = protocol::read_body<protocol::Manifest>(envelope);
  if (!manifest) return stop(Check::kTally, envelope.sender, manifest.error().message);
  if (const Status fits = protocol::fits_roster(*manifest, progress_.open->message); !fits)
    return stop(Check::kTally, envelope.sender, fits.error().message);
  const auto record = read_record(*manifest);
  if (!record) return false;

  const bool from_payloads = progress_.payloads_known && residual_known_;
  std::map<Uid, protocol::OpenedPayload> claimed;
  if (!progress_.payloads_known) claimed = claimed_payloads(progress_.payloads, *record);
  const auto& payloads = progress_.payloads_known ? progress_.payloads : claimed;
  const auto arrivals = protocol::arrivals_of(*record);
  auto sealed = seal_again(inputs_for(*record, payloads, arrivals), from_payloads);
  if (!sealed) return refused(envelope.sender, sealed.error(), Check::kTally, "Manifest");

  const ManifestCheck check{sealed->manifest, sealed->record, *manifest,
                            *record,          head_.round(),  signer_of(envelope.sender),
                            from_payloads};
  bool goes_on = check_manifest(check, report_);
  const auto screens = read_screens(*record);
  check_left_out(*record);
  if (goes_on && !manifest->null_round) {
    if (from_payloads) {
      check_aggregate_blob(*manifest, sealed->aggregate_blob);
    } else {
      goes_on = take_aggregate_from_blob(*manifest, sealed->aggregate);
    }
  }
  if (!goes_on) {
    report_.broken = true;
    return false;
  }
  if (!manifest->null_round) {
    MUSTER_TRY_STATUS(state::outer_step(theta_, layout_, sealed->aggregate,
                                        params_.compression.outer_learning_rate, options_.threads));
    roots_.reset();
  }
  ++report_.rounds;
  report_.null_rounds += manifest->null_round;
  const AuditedRound round{params_,
                           layout_,
                           head_.position(),
                           head_,
                           progress_.open->message,
                           *manifest,
                           *record,
                           progress_.commits,
                           progress_.reveals,
                           payloads,
                           progress_.payloads_known,
                           screens,
                           manifest->null_round ? nullptr : &sealed->aggregate,
                           report_.first_round};
  for (const TakeRound& observer : observers_) MUSTER_TRY_STATUS(observer(round, report_));
  last_position_ = head_.position();
  head_.advance(wire::message_hash(bytes), progress_.open->message, *manifest);
  progress_ = Progress{};
  return true;
}

}  // namespace muster::verify
