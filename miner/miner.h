// Miner: the role's pure core. It trains on what it was assigned, commits, reveals, applies.
//
// Sans-I/O: inputs are calls with their time, outputs are Actions to be carried out in order; a
// Persist is durable before the next action starts. Training, encoding and applying run elsewhere
// (Train, Apply) and come back as on_trained and on_applied. A commit or key that may have left is
// persisted first and re-sent verbatim after a crash, so a miner never equivocates. Thread safety:
// none; one owner.
#pragma once

#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "protocol/follower.h"
#include "protocol/head_watch.h"
#include "protocol/inner_loop.h"
#include "protocol/patience.h"
#include "protocol/sitting_out.h"

namespace muster::miner {

struct Send {
  Bytes message;
};
struct Persist {
  Round round;
  Bytes message;
};
// Train, encode, save the trainer's state; then on_trained.
struct Train {
  protocol::TrainTask task;
  compression::PayloadFormat format;
};
struct StopTraining {};
// Keep the blob until the round is over and upload it until a receipt comes.
struct Upload {
  Hash id;
  Bytes blob;
};
// Upload again what an earlier Upload kept.
struct UploadAgain {
  Hash id;
};
// Fetch a blob and call on_blob.
struct Fetch {
  Hash id;
};
// Settle the error feedback (none: it has been, before this node started over), step θ by
// `aggregate` (none: a null round), save the trainer's state; then on_applied.
struct Apply {
  Round next;
  std::optional<protocol::Settlement> settlement;
  std::shared_ptr<const compression::SparseUpdate> aggregate;
};
// Ask the ledger for the validators' stakes; then on_stakes.
struct AskStakes {};
// Replace θ by `theta` (none: the run's initial model), settle `missed` rounds, save the trainer's
// state; then on_adopted.
struct Adopt {
  std::shared_ptr<const std::vector<float>> theta;
  std::uint64_t missed = 0;
};
struct RoundDone {
  Round round;
  protocol::OutcomeCode outcome;  // this miner's; kMissed when it was not in the roster
  bool in_roster = false;
};
// The coordinator broke its word; the proof is signed by it.
struct Accuse {
  protocol::DisputeReason reason;
  std::vector<Bytes> proof;
};
// Compare what other nodes say that the ledger signed with what this one knows, and say what
// differs.
struct CompareHeads {
  std::vector<protocol::SeenHead> heads;
};
struct Note {
  std::string text;
};
struct Finish {};
using Action = std::variant<Send, Persist, Train, StopTraining, Upload, UploadAgain, Fetch, Apply,
                            AskStakes, Adopt, RoundDone, Accuse, CompareHeads, Note, Finish>;
using Actions = std::vector<Action>;

struct Config {
  std::uint32_t retry_ms = 2000;  // how long nothing may be heard before asking again
  bool restored = false;          // from a copy of its folder: protocol/sitting_out.h
};

// What an adversary changes; honest miners use the default. Tests and simulation attack with it.
class Conduct {
 public:
  virtual ~Conduct() = default;
  // Whether to train, commit and reveal at all in this round.
  [[nodiscard]] virtual bool takes_part(Round) { return true; }
  // What to train on instead of the assigned sequences; fewer of them are fewer inner steps.
  [[nodiscard]] virtual std::vector<std::uint64_t> sequences(Round,
                                                             std::vector<std::uint64_t> assigned) {
    return assigned;
  }
  // How many sequences the commit says were used.
  [[nodiscard]] virtual std::uint32_t claims(std::uint32_t used, std::uint32_t /*assigned*/) {
    return used;
  }
  // The payload to commit instead of the trained one.
  [[nodiscard]] virtual compression::Payload payload(Round, compression::Payload trained) {
    return trained;
  }
  [[nodiscard]] virtual bool reveals(Round) { return true; }
  // Called with every aggregate before it is applied.
  virtual void saw_aggregate(Round, const compression::SparseUpdate&) {}
};

class Miner {
 public:
  Miner(const protocol::ProtocolParams& params, const SigningKey& key, const Config& config,
        std::shared_ptr<Conduct> conduct);

  // Feeds persisted messages back in order. `in_state`: the trainer's saved state was saved after
  // this record; what is not in it happens again. Errors: the journal is damaged or another run's.
  [[nodiscard]] Status recover(ByteSpan message, bool in_state);
  // `theta_root` is that of the trainer's parameters.
  [[nodiscard]] Actions start(const Hash& theta_root, TimeMs now);

  [[nodiscard]] Actions on_message(ByteSpan message, TimeMs now);
  [[nodiscard]] Actions on_trained(Round round, const protocol::TrainReport& report,
                                   compression::Payload payload, TimeMs now);
  [[nodiscard]] Actions on_training_failed(Round round, const Error& error, TimeMs now);
  [[nodiscard]] Actions on_blob(const Hash& id, ByteSpan blob, TimeMs now);
  [[nodiscard]] Actions on_applied(Round next, const Hash& theta_root, TimeMs now);
  // Empty: the ledger did not answer.
  [[nodiscard]] Actions on_stakes(const protocol::ValidatorStakes& stakes, TimeMs now);
  [[nodiscard]] Actions on_adopted(const Hash& theta_root, TimeMs now);
  [[nodiscard]] Actions on_tick(TimeMs now);
  // The ledger's newest head that this node knows: its next messages carry it.
  void on_ledger_head(const protocol::LedgerHead& head) { ledger_head_ = head; }

  [[nodiscard]] const protocol::ChainHead& head() const { return follower_.head(); }
  [[nodiscard]] bool finished() const { return finished_; }
  [[nodiscard]] const Hash& theta_root() const { return theta_root_; }
  [[nodiscard]] const protocol::SittingOut& sitting_out() const { return sitting_out_; }

 private:
  // What this miner has done in the coming round.
  struct Progress {
    bool training = false;
    bool trained = false;  // no more training in this round (also: failed)
    bool fetching = false;
    bool applying = false;
    bool accused = false;
    bool noted_as_left_out = false;
    bool state_checked = false;  // against the validators' attestations
  };

  // What this miner signed last. It outlives starting over: a round is signed once.
  struct Signed {
    Round round;
    std::optional<Bytes> commit;
    Hash payload_id;
    std::optional<Bytes> reveal;
  };

  void advance(TimeMs now);
  void finish_run();
  void check_own_state();
  void start_over();
  void adopt(protocol::HeadState head, std::shared_ptr<const std::vector<float>> theta);
  void move_to(const protocol::HeadState& head);
  void consider_offer();
  void take_checkpoint(ByteSpan blob, TimeMs now);
  void decline_checkpoint(const Error& why, TimeMs now);
  [[nodiscard]] const Bytes* own_commit() const;  // in the coming round, if any
  [[nodiscard]] const Bytes* own_reveal() const;
  void begin_training();
  void reveal_if_listed();
  void finish_round();
  void apply(std::shared_ptr<const compression::SparseUpdate> aggregate);
  void send_ready(TimeMs now);
  void persist_news();
  void hand_back(protocol::Phase phase);
  void ask_for_what_was_missed(TimeMs now);
  void resend(TimeMs now);
  [[nodiscard]] const protocol::RosterEntry* own_entry() const;
  [[nodiscard]] bool committed_in_close() const;
  // In the sealed round, if it was in the roster.
  [[nodiscard]] std::optional<protocol::OutcomeCode> own_outcome() const;
  [[nodiscard]] protocol::Settlement settlement() const;
  template <class Message>
  Bytes sign(const Message& message) const {
    return protocol::sign_message(head().position(), message, key_);
  }
  Actions take_actions();

  protocol::ProtocolParams params_;
  compression::Layout layout_;
  SigningKey key_;
  std::shared_ptr<Conduct> conduct_;  // shared: an adversary's observers hold it too
  protocol::Follower follower_;
  protocol::Joining joining_;
  std::optional<protocol::HeadState> adopting_;  // until θ is replaced
  std::optional<Round> started_over_;  // before this round, which no attestation has confirmed yet
  Progress progress_;
  Signed signed_;
  Round settled_;  // rounds before it have had their settlement
  Hash theta_root_;
  std::optional<protocol::LedgerHead> ledger_head_;
  protocol::Patience patience_;
  protocol::SittingOut sitting_out_;
  bool finished_ = false;
  Actions actions_;
};

}  // namespace muster::miner
