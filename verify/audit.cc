#include "verify/audit.h"

#include "state/state_root.h"

namespace muster::verify {

using protocol::MessageType;

Audit::Audit(const protocol::ProtocolParams& params, std::vector<float> initial_theta,
             protocol::BlobReader blobs, const AuditOptions& options)
    : params_(params),
      layout_(state::layout_of(params.model)),
      options_(options),
      blobs_(std::move(blobs)),
      head_(params, protocol::run_id_of(params)),
      theta_(std::move(initial_theta)),
      residual_(theta_.size(), 0.0f) {
  MUSTER_CHECK(theta_.size() == layout_.parameters(), "an initial model of another layout");
  if (roots().theta == params.initial_theta_root) {
    report_.hold(Check::kStateRoots);
  } else {
    report_.fail({Check::kStateRoots,
                  Round{0},
                  {},
                  "the initial model is not the one that the parameters name",
                  params.initial_theta_root.brief(),
                  roots().theta.brief()});
  }
}

// ---- findings

Signer Audit::signer_of(const PublicKey& hotkey) const {
  if (hotkey == params_.coordinator) return {hotkey, Role::kCoordinator, {}};
  const auto known = names_.find(hotkey);
  return known == names_.end() ? Signer{hotkey} : known->second;
}

void Audit::fail(Check check, const PublicKey& signer, std::string what, std::string expected,
                 std::string found) {
  report_.fail({check, head_.round(), signer_of(signer), std::move(what), std::move(expected),
                std::move(found)});
}

bool Audit::stop(Check check, const PublicKey& signer, std::string what, std::string expected,
                 std::string found) {
  fail(check, signer, std::move(what), std::move(expected), std::move(found));
  report_.broken = true;
  return false;
}

// What a message that cannot be read is a failure of.
bool Audit::refused(const PublicKey& signer, const Error& error, Check otherwise,
                    std::string_view name) {
  // What is attached to a message is not signed: what is wrong with it is the archive's fault.
  if (error.code == Errc::kBadHash || error.code == Errc::kNotFound) {
    damaged(Error{error.code, std::string(name) + ": " + error.message});
    return false;
  }
  const Check check = error.code == Errc::kBadSignature ? Check::kSignatures
                      : error.code == Errc::kWrongRun || error.code == Errc::kWrongRound
                          ? Check::kManifestChain
                          : otherwise;
  return stop(check, signer, std::string(name) + ": " + error.message);
}

void Audit::damaged(const Error& error) {
  report_.fail({Check::kFile, head_.round(), {}, error.message});
  report_.broken = true;
}

const Audit::Roots& Audit::roots() {
  if (!roots_)
    roots_ = {state::parameters_root(layout_, theta_), state::parameters_root(layout_, residual_)};
  return *roots_;
}

// ---- messages

Result<bool> Audit::take(ByteSpan message) {
  if (report_.broken) return false;
  ++report_.messages;
  const auto envelope = wire::open_envelope(message);
  if (envelope) {
    report_.hold(Check::kSignatures);
    return take_envelope(*envelope, message);
  }
  const auto unsigned_one = wire::reread_envelope(message);
  const std::string number = "message " + std::to_string(report_.messages - 1);
  if (!unsigned_one) {
    report_.fail({Check::kSignatures, head_.round(), {}, number + ": " + envelope.error().message});
    report_.broken = true;
    return false;
  }
  const auto type = MessageType{unsigned_one->type};
  fail(Check::kSignatures, unsigned_one->sender,
       number + ", a " + std::string(name_of(type)) + ": " + envelope.error().message +
           "; its sender is said to be who is named here");
  // Closes and manifests hold their own copies of what nodes sent; without the coordinator's own
  // nothing goes on.
  report_.broken = unsigned_one->sender == params_.coordinator;
  return !report_.broken;
}

Result<bool> Audit::take_envelope(const wire::Envelope& envelope, ByteSpan bytes) {
  const auto type = MessageType{envelope.type};
  const std::string name(name_of(type));
  if (type == MessageType::kDispute) {
    ++report_.disputes;
    return true;
  }
  if (type == MessageType::kJoined && envelope.sender == params_.coordinator)
    return take_base(envelope);
  if (awaits_state_) return take_base_state(envelope);
  // An offer to who joins, who believes the attestations in it; the same stand in the archive as
  // such.
  if (type == MessageType::kCheckpoint && envelope.sender == params_.coordinator) return true;
  const Status placed = protocol::check_position(envelope, head_.position());
  if (!placed && is_fork(envelope, bytes)) return true;
  const bool of_coordinator = type == MessageType::kRoundOpen ||
                              type == MessageType::kCommitsClosed ||
                              type == MessageType::kRevealsClosed || type == MessageType::kManifest;
  if (of_coordinator) {
    if (!placed) return stop(Check::kManifestChain, envelope.sender, placed.error().message);
    if (envelope.sender != params_.coordinator)
      return stop(Check::kManifestChain, envelope.sender,
                  name + ": only the coordinator may sign it");
    report_.hold(Check::kManifestChain);
    if (type == MessageType::kManifest) return take_manifest(envelope, bytes);
    return take_coordinators(envelope, bytes);
  }
  if (!placed) {
    fail(Check::kManifestChain, envelope.sender, placed.error().message);
    return true;
  }
  report_.hold(Check::kManifestChain);
  take_nodes(envelope, bytes);
  return true;
}

void Audit::take_nodes(const wire::Envelope& envelope, ByteSpan bytes) {
  const auto type = MessageType{envelope.type};
  const std::string name(name_of(type));
  if (type == MessageType::kAttest) return take_attest(envelope, bytes);
  if (type != MessageType::kCommit && type != MessageType::kReveal && type != MessageType::kScreen)
    return fail(Check::kManifestChain, envelope.sender, name + ": a message that no archive holds");
  if (!names_.contains(envelope.sender))
    return fail(Check::kRosters, envelope.sender, name + " by who is not in the roster");
  auto& versions = progress_.received[{type, envelope.sender}];
  const Hash hash = wire::message_hash(bytes);
  if (versions.empty() || (versions.size() < 2 && versions[0] != hash)) versions.push_back(hash);
}

// A manifest of the round before, but not the one that everything since builds on.
bool Audit::is_fork(const wire::Envelope& envelope, ByteSpan bytes) {
  if (!last_position_ || !is_a(envelope, MessageType::kManifest) ||
      envelope.sender != params_.coordinator ||
      !protocol::check_position(envelope, *last_position_))
    return false;
  fail(Check::kManifestChain, envelope.sender,
       "two different Manifests of round " + std::to_string(last_position_->round.value),
       head_.position().parent.brief(), wire::message_hash(bytes).brief());
  return true;
}

bool Audit::take_coordinators(const wire::Envelope& envelope, ByteSpan bytes) {
  const auto type = MessageType{envelope.type};
  const Bytes* earlier = type == MessageType::kRoundOpen
                             ? (progress_.open ? &progress_.open->bytes : nullptr)
                         : type == MessageType::kCommitsClosed ? &progress_.commits_closed
                                                               : &progress_.reveals_closed;
  if (earlier != nullptr && !earlier->empty()) {
    if (wire::message_hash(bytes) != wire::message_hash(*earlier))
      fail(Check::kManifestChain, envelope.sender,
           "two different " + std::string(name_of(type)) + "s of one round",
           wire::message_hash(*earlier).brief(), wire::message_hash(bytes).brief());
    return true;
  }
  switch (type) {
    case MessageType::kRoundOpen:
      return take_open(envelope, bytes);
    case MessageType::kCommitsClosed:
      return take_commits_closed(envelope, bytes);
    default:
      return take_reveals_closed(envelope, bytes);
  }
}

bool Audit::take_open(const wire::Envelope& envelope, ByteSpan bytes) {
  auto open = protocol::read_body<protocol::RoundOpen>(envelope);
  if (!open) return refused(envelope.sender, open.error(), Check::kRosters, "RoundOpen");
  if (open->excerpt)
    return refused(envelope.sender, protocol::not_whole("RoundOpen"), Check::kRosters, "RoundOpen");
  names_.clear();
  validator_stake_ = 0;
  for (const auto& entry : open->roster) {
    if (entry.role == Role::kValidator) validator_stake_ += entry.stake;
    names_[entry.hotkey] = {entry.hotkey, entry.role, entry.uid, entry.stake};
  }
  check_open(*open);
  progress_.open = {std::move(*open), Bytes(bytes.begin(), bytes.end()), envelope.sender};
  return true;
}

void Audit::check_open(const protocol::RoundOpen& open) {
  auto same = [&](const char* what, const auto& expected, const auto& found, auto&& text) {
    if (expected == found) return report_.hold(Check::kRosters);
    fail(Check::kRosters, params_.coordinator,
         std::string("RoundOpen: its ") + what + " does not follow from the last manifest",
         text(expected), text(found));
  };
  auto brief = [](const Hash& hash) { return hash.brief(); };
  same("state id", head_.state_id(), open.state_id, brief);
  same("beacon", head_.beacon(), open.beacon, brief);
  same("data cursor",
       protocol::fit_cursor(head_.cursor(), protocol::miner_count(open), params_.slice(),
                            params_.sequences),
       protocol::DataCursor{open.epoch, open.cursor}, [](const protocol::DataCursor& cursor) {
         return "epoch " + std::to_string(cursor.epoch) + " position " +
                std::to_string(cursor.position);
       });
  for (const Bytes& attestation : open.attestations) {
    const auto attest = protocol::open_at<protocol::Attest>(attestation, head_.position());
    if (!attest) {
      fail(Check::kSignatures, params_.coordinator,
           "RoundOpen: an attestation in it: " + attest.error().message);
      continue;
    }
    report_.hold(Check::kSignatures);
    take_attest(wire::reread_envelope(attestation).value(), attestation);
  }
}

bool Audit::take_commits_closed(const wire::Envelope& envelope, ByteSpan bytes) {
  if (!progress_.open)
    return stop(Check::kManifestChain, envelope.sender, "CommitsClosed before the round is open");
  const auto closed = protocol::read_body<protocol::CommitsClosed>(envelope);
  if (!closed) return refused(envelope.sender, closed.error(), Check::kCloses, "CommitsClosed");
  auto commits = protocol::read_commits(head_.position(), progress_.open->message, *closed);
  if (!commits) return refused(envelope.sender, commits.error(), Check::kCloses, "CommitsClosed");
  report_.hold(Check::kCloses);
  report_.hold(Check::kSignatures, commits->size());
  progress_.commits = std::move(*commits);
  progress_.commit_root = closed->commit_root;
  progress_.commits_closed.assign(bytes.begin(), bytes.end());
  return true;
}

bool Audit::take_reveals_closed(const wire::Envelope& envelope, ByteSpan bytes) {
  if (progress_.commits_closed.empty())
    return stop(Check::kManifestChain, envelope.sender, "RevealsClosed before CommitsClosed");
  const auto closed = protocol::read_body<protocol::RevealsClosed>(envelope);
  if (!closed) return refused(envelope.sender, closed.error(), Check::kCloses, "RevealsClosed");
  if (closed->commit_root == progress_.commit_root) {
    report_.hold(Check::kCloses);
  } else {
    fail(Check::kCloses, envelope.sender, "RevealsClosed names another commit root than the close",
         progress_.commit_root.brief(), closed->commit_root.brief());
  }
  auto reveals =
      protocol::read_reveals(head_.position(), progress_.open->message, progress_.commits, *closed);
  if (!reveals) return refused(envelope.sender, reveals.error(), Check::kCloses, "RevealsClosed");
  report_.hold(Check::kSignatures, reveals->size());
  progress_.reveals = std::move(*reveals);
  progress_.reveals_closed.assign(bytes.begin(), bytes.end());
  return open_payloads();
}

// ---- attestations

void Audit::take_attest(const wire::Envelope& envelope, ByteSpan bytes) {
  // The archive has each once as it came, and once in the RoundOpen.
  if (!progress_.attests.insert(wire::message_hash(bytes)).second) return;
  const auto attest = protocol::read_body<protocol::Attest>(envelope);
  if (!attest) return fail(Check::kStateRoots, envelope.sender, attest.error().message);
  // One validator's word on a state matters when it has most of the stake: that is who is believed.
  const Signer signer = signer_of(envelope.sender);
  const bool decides = signer.stake * 2 > validator_stake_;
  auto same = [&](const char* what, const Hash& expected, const Hash& found) {
    if (expected == found) return true;
    Finding finding{Check::kStateRoots, head_.round(), signer, std::string("Attest: ") + what,
                    expected.brief(),   found.brief()};
    decides ? report_.fail(std::move(finding)) : report_.remark(std::move(finding));
    return false;
  };
  const Roots& own = roots();
  bool all = same("the manifest's hash", head_.position().parent, attest->manifest_hash);
  all = same("the state id", head_.state_id(), attest->state_id) && all;
  all = same("the root of θ", own.theta, attest->theta_root) && all;
  if (residual_known_)
    all = same("the root of the downlink's residual", own.downlink, attest->downlink_root) && all;
  all = same("the hash of the chain head", head_.hash(), attest->head_hash) && all;
  if (all) report_.hold(Check::kStateRoots);
}

AuditReport Audit::finish() {
  report_.theta_root = roots().theta;
  return report_;
}

}  // namespace muster::verify
