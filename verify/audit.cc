#include "verify/audit.h"

#include "state/outer_step.h"
#include "state/state_root.h"

namespace muster::verify {

using protocol::MessageType;

Audit::Audit(const protocol::ProtocolParams& params, std::vector<float> initial_theta,
             protocol::BlobReader blobs, unsigned threads)
    : params_(params),
      layout_(state::layout_of(params.model)),
      threads_(threads),
      blobs_(std::move(blobs)),
      head_(params, protocol::run_id_of(params)),
      theta_(std::move(initial_theta)),
      residual_(theta_.size(), 0.0f),
      theta_root_(state::parameters_root(layout_, theta_)),
      downlink_root_(state::parameters_root(layout_, residual_)) {
  if (theta_root_ != params.initial_theta_root)
    problem("the initial model is not the one that the run's parameters name");
}

void Audit::problem(const std::string& what) {
  report_.problems.push_back("round " + std::to_string(head_.round().value) + ": " + what);
}

bool Audit::take(ByteSpan message) {
  if (broken_) return false;
  ++report_.messages;
  const auto envelope = wire::open_envelope(message);
  if (!envelope) {
    problem("message " + std::to_string(report_.messages) + ": " + envelope.error().message);
    broken_ = true;
    return false;
  }
  if (Status status = take_envelope(*envelope, message); !status) {
    problem(std::string(name_of(MessageType{envelope->type})) + " signed by " +
            envelope->sender.hex() + ": " + status.error().message);
    broken_ = true;
  }
  return !broken_;
}

Status Audit::take_envelope(const wire::Envelope& envelope, ByteSpan bytes) {
  const auto type = MessageType{envelope.type};
  if (type == MessageType::kDispute) {
    ++report_.disputes;
    return {};
  }
  // An offer to who joins, who believes the attestations in it; the same stand in the archive as such.
  if (type == MessageType::kCheckpoint && envelope.sender == params_.coordinator) return {};
  MUSTER_TRY_STATUS(protocol::check_position(envelope, head_.position()));
  const bool of_coordinator = type == MessageType::kRoundOpen ||
                              type == MessageType::kCommitsClosed ||
                              type == MessageType::kRevealsClosed || type == MessageType::kManifest;
  if (of_coordinator && envelope.sender != params_.coordinator)
    return Error{Errc::kPermission, "only the coordinator may sign it"};
  switch (type) {
    case MessageType::kRoundOpen: {
      MUSTER_TRY(open_, protocol::open_at<protocol::RoundOpen>(bytes, head_.position()));
      return head_.check_open(open_->message);
    }
    case MessageType::kCommitsClosed: {
      if (!open_) return Error{Errc::kConflict, "before the round is open"};
      MUSTER_TRY(const auto closed, protocol::read_body<protocol::CommitsClosed>(envelope));
      commit_root_ = closed.commit_root;
      MUSTER_TRY(commits_, protocol::read_commits(head_.position(), open_->message, closed));
      return {};
    }
    case MessageType::kRevealsClosed: {
      if (!open_) return Error{Errc::kConflict, "before the round is open"};
      MUSTER_TRY(const auto closed, protocol::read_body<protocol::RevealsClosed>(envelope));
      reveals_hash_ = wire::message_hash(bytes);
      if (closed.commit_root != commit_root_)
        return Error{Errc::kConflict, "names another commit root than the close"};
      MUSTER_TRY(reveals_,
                 protocol::read_reveals(head_.position(), open_->message, commits_, closed));
      return {};
    }
    case MessageType::kManifest: return take_manifest(envelope, bytes);
    case MessageType::kAttest: return take_attest(envelope, bytes);
    case MessageType::kCommit:
    case MessageType::kReveal:
    case MessageType::kScreen: return {};  // checked where the close or manifest lists them
    default: return Error{Errc::kMalformed, "a message that no archive holds"};
  }
}

Status Audit::take_manifest(const wire::Envelope& envelope, ByteSpan bytes) {
  if (!open_) return Error{Errc::kConflict, "before the round is open"};
  MUSTER_TRY(const auto manifest, protocol::read_body<protocol::Manifest>(envelope));
  const protocol::RoundContext context{params_, layout_, head_.position(), threads_};
  MUSTER_TRY(const auto payloads, protocol::open_payloads(context, commits_, reveals_, blobs_));
  std::map<Uid, std::uint32_t> arrivals;
  for (const auto& outcome : manifest.outcomes) arrivals[outcome.uid] = outcome.arrival_ms;
  const protocol::SealInputs inputs{context,
                                    head_,
                                    open_->message,
                                    wire::message_hash(open_->bytes),
                                    reveals_hash_,
                                    commit_root_,
                                    payloads,
                                    arrivals,
                                    manifest.screens,
                                    manifest.evidence};
  MUSTER_TRY(const auto sealed, protocol::seal(inputs, residual_));
  if (wire::encode(sealed.manifest) != wire::encode(manifest)) {
    return Error{Errc::kConflict,
                 "sealing the round again gives another manifest (aggregate " +
                     sealed.manifest.aggregate_id.brief() + ", signed " +
                     manifest.aggregate_id.brief() + ")"};
  }
  if (!manifest.null_round) MUSTER_TRY_STATUS(blobs_(manifest.aggregate_id).has_value()
                                                  ? Status()
                                                  : Status(Error{Errc::kNotFound, "no aggregate"}));
  if (!manifest.null_round)
    MUSTER_TRY_STATUS(state::outer_step(theta_, layout_, sealed.aggregate,
                                        params_.compression.outer_learning_rate, threads_));
  theta_root_ = state::parameters_root(layout_, theta_);
  downlink_root_ = state::parameters_root(layout_, residual_);
  ++report_.rounds;
  report_.null_rounds += manifest.null_round;
  report_.payloads += payloads.size();
  head_.advance(wire::message_hash(bytes), open_->message, manifest);
  open_.reset();
  commits_.clear();
  reveals_.clear();
  return {};
}

Status Audit::take_attest(const wire::Envelope& envelope, ByteSpan) {
  MUSTER_TRY(const auto attest, protocol::read_body<protocol::Attest>(envelope));
  if (attest.manifest_hash != head_.position().parent || attest.state_id != head_.state_id() ||
      attest.theta_root != theta_root_ || attest.downlink_root != downlink_root_ ||
      attest.head_hash != head_.hash()) {
    problem("validator " + envelope.sender.hex() + " attests state root " +
            attest.theta_root.brief() + ", made again it is " + theta_root_.brief());
    return {};
  }
  ++report_.attestations;
  return {};
}

AuditReport Audit::finish() {
  report_.theta_root = theta_root_;
  if (params_.rounds != 0 && report_.rounds < params_.rounds && !broken_)
    report_.problems.push_back("the archive ends after " + std::to_string(report_.rounds) + " of " +
                               std::to_string(params_.rounds) + " rounds");
  return report_;
}

}  // namespace muster::verify
