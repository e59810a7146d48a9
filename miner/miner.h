// Miner: the role's pure core. It trains on what it was assigned, commits, reveals, applies.
//
// Sans-I/O: inputs are calls with their time, outputs are Actions to be carried out in order; a Persist
// is durable before the next action starts. Training, encoding and applying run elsewhere (Train, Apply)
// and come back as on_trained and on_applied. A commit or key that may have left is persisted first and
// re-sent verbatim after a crash, so a miner never equivocates.
// Thread safety: none; one owner.
#pragma once

#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "protocol/follower.h"
#include "protocol/inner_loop.h"

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
// Settle the error feedback, step θ by `aggregate` (none: a null round), save the trainer's state with
// `next` as its tag; then on_applied.
struct Apply {
  Round next;
  protocol::Settlement settlement;
  std::shared_ptr<const compression::SparseUpdate> aggregate;
};
struct RoundDone {
  Round round;
  protocol::Outcome outcome;  // this miner's; kMissed when it was not in the roster
  bool in_roster = false;
};
// The coordinator broke its word; the proof is signed by it.
struct Accuse {
  protocol::DisputeReason reason;
  std::vector<Bytes> proof;
};
struct Note {
  std::string text;
};
struct Finish {};
using Action = std::variant<Send, Persist, Train, StopTraining, Upload, UploadAgain, Fetch, Apply,
                            RoundDone, Accuse, Note, Finish>;
using Actions = std::vector<Action>;

struct Config {
  std::uint32_t retry_ms = 2000;  // how long nothing may be heard before asking again
};

// What an adversary changes; honest miners use the default. Tests and simulation attack with it.
class Conduct {
 public:
  virtual ~Conduct() = default;
  // The payload to commit instead of the trained one.
  [[nodiscard]] virtual compression::Payload payload(Round, compression::Payload trained) {
    return trained;
  }
  // The sequences to train on instead of the assigned ones.
  [[nodiscard]] virtual std::vector<std::uint64_t> sequences(Round,
                                                             std::vector<std::uint64_t> assigned) {
    return assigned;
  }
  // Called with every aggregate before it is applied.
  virtual void saw_aggregate(Round, const compression::SparseUpdate&) {}
  [[nodiscard]] virtual bool trains() const { return true; }
  [[nodiscard]] virtual bool reveals(Round) { return true; }
};

class Miner {
 public:
  // `theta_root` is that of the trainer's parameters at the round of the last recovered manifest.
  Miner(const protocol::ProtocolParams& params, const SigningKey& key, const Config& config,
        std::shared_ptr<Conduct> conduct);

  // Feeds persisted messages back in order; manifests from `stop_at` on are left out, since the trainer's
  // saved state stands before them. Errors: the journal is damaged or another run's.
  [[nodiscard]] Status recover(ByteSpan message, Round stop_at);
  [[nodiscard]] Actions start(const Hash& theta_root, TimeMs now);

  [[nodiscard]] Actions on_message(ByteSpan message, TimeMs now);
  [[nodiscard]] Actions on_trained(Round round, const protocol::TrainReport& report,
                                   compression::Payload payload, TimeMs now);
  [[nodiscard]] Actions on_training_failed(Round round, const Error& error, TimeMs now);
  [[nodiscard]] Actions on_blob(const Hash& id, ByteSpan blob, TimeMs now);
  [[nodiscard]] Actions on_applied(Round next, const Hash& theta_root, TimeMs now);
  [[nodiscard]] Actions on_tick(TimeMs now);

  [[nodiscard]] const protocol::ChainHead& head() const { return follower_.head(); }
  [[nodiscard]] bool finished() const { return finished_; }
  [[nodiscard]] const Hash& theta_root() const { return theta_root_; }

 private:
  // What this miner has done in the coming round.
  struct Progress {
    bool training = false;
    bool trained = false;     // no more training in this round (also: failed)
    std::optional<Bytes> commit;
    Hash payload_id;
    std::optional<Bytes> reveal;
    bool fetching = false;
    bool applying = false;
    bool accused = false;
    bool state_checked = false;  // against the validators' attestations
  };

  void advance(TimeMs now);
  void check_own_state();
  void begin_training();
  void reveal_if_listed();
  void finish_round();
  void apply(std::shared_ptr<const compression::SparseUpdate> aggregate);
  void send_ready(TimeMs now);
  void resend(TimeMs now);
  [[nodiscard]] const protocol::RosterEntry* own_entry() const;
  [[nodiscard]] bool committed_in_close() const;
  [[nodiscard]] protocol::Settlement settlement() const;
  template <class Message>
  Bytes sign(const Message& message) const;
  Actions take_actions();

  protocol::ProtocolParams params_;
  compression::Layout layout_;
  SigningKey key_;
  Config config_;
  std::shared_ptr<Conduct> conduct_;  // shared: an adversary's observers hold it too
  protocol::Follower follower_;
  Progress progress_;
  Hash theta_root_;
  TimeMs last_heard_ = 0;
  bool finished_ = false;
  Actions actions_;
};

}  // namespace muster::miner
