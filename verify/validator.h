// Validator: the role's pure core. It screens every payload, scores a sample exactly, rates the
// miners, makes every seal again and attests the state.
//
// Sans-I/O: inputs are calls with their time, outputs are Actions to be carried out in order; a
// Persist is durable before the next action starts. Measuring (gradient, cosines, scores) runs
// elsewhere and comes back as events. Draws follow from secrets that stood in an earlier manifest
// as hashes and are revealed with the Screen, so anyone can redo them. Thread safety: none; one
// owner.
#pragma once

#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "protocol/anchor.h"
#include "protocol/follower.h"
#include "protocol/head_watch.h"
#include "protocol/patience.h"
#include "protocol/roster.h"
#include "protocol/seal.h"
#include "protocol/seal_record.h"
#include "protocol/sitting_out.h"
#include "verify/evaluation.h"
#include "verify/rating_book.h"
#include "verify/reviews.h"
#include "verify/score.h"
#include "verify/screen.h"

namespace muster::verify {

struct Send {
  Bytes message;
};
struct Persist {
  Round round;
  Bytes message;
};
// Fetch a blob and call on_blob.
struct Fetch {
  Hash id;
};
// Compute the screening gradient at the current θ; then on_gradient.
struct ComputeGradient {
  Round round;
  std::vector<std::uint64_t> sequences;
};
// Cosine of each payload with the gradient; then on_cosines.
struct MeasureCosines {
  Round round;
  std::vector<ScoreItem> items;
};
// Score the round sealed last; then on_scored, also after StopScoring.
struct Score {
  std::optional<ScoreTask> review;  // first: one payload, in the place of another validator
  ScoreTask task;
};
struct Scored {
  Round round;
  std::optional<Measurement> review;  // of Score::review, unless it was stopped
  std::vector<Measurement> measurements;
};
// Errors: those of the probe.
[[nodiscard]] Result<Scored> measure(protocol::LossProbe& probe, const Score& score,
                                     const std::atomic<bool>& stop);
struct StopScoring {};
// Step θ by `aggregate` (none: a null round), save θ and `downlink_residual`; then on_applied.
struct Apply {
  Round next;
  std::shared_ptr<const compression::SparseUpdate> aggregate;
  std::shared_ptr<const std::vector<float>> downlink_residual;
};
// Ask the ledger for the validators' stakes; then on_stakes.
struct AskStakes {};
// Ask the ledger how this closed block left its members; then on_members.
struct AskMembers {
  Round round;
  protocol::RosterBlock block;
};
// Replace θ by `theta` (none: the run's initial model) and save it with `downlink_residual`; then
// on_adopted.
struct Adopt {
  std::shared_ptr<const std::vector<float>> theta;
  std::shared_ptr<const std::vector<float>> downlink_residual;
};
struct Rated {
  Round round;
  std::vector<protocol::Evaluation> evaluations;
};
struct Accuse {
  protocol::DisputeReason reason;
  Hash expected;
  Hash found;
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
using Action =
    std::variant<Send, Persist, Fetch, ComputeGradient, MeasureCosines, Score, StopScoring, Apply,
                 AskStakes, AskMembers, Adopt, Rated, Accuse, CompareHeads, Note, Finish>;
using Actions = std::vector<Action>;

struct Config {
  std::uint32_t retry_ms = 2000;
  bool restored = false;  // from a copy of its folder: protocol/sitting_out.h
  // How long a Screen may wait for scores that are not finished when the keys are out. A validator
  // that shares its machine waits; one with time to spare has scored by then anyway.
  std::uint32_t score_wait_ms = 10'000;
  std::uint32_t threads = 1;  // for decoding and checking seals
};

class Validator {
 public:
  Validator(const protocol::ProtocolParams& params, const SigningKey& key, const Config& config,
            std::vector<float> downlink_residual);

  // As Miner::recover.
  [[nodiscard]] Status recover(ByteSpan message, bool in_state);
  [[nodiscard]] Actions start(const Hash& theta_root, TimeMs now);

  [[nodiscard]] Actions on_message(ByteSpan message, TimeMs now);
  [[nodiscard]] Actions on_blob(const Hash& id, Bytes blob, TimeMs now);
  [[nodiscard]] Actions on_gradient(Round round, TimeMs now);
  [[nodiscard]] Actions on_cosines(Round round, const std::map<Uid, double>& cosines, TimeMs now);
  [[nodiscard]] Actions on_scored(const Scored& scored, const std::string& platform_class,
                                  TimeMs now);
  [[nodiscard]] Actions on_applied(Round next, const Hash& theta_root, TimeMs now);
  // Empty: the ledger did not answer. `has_set_weights`: this hotkey, at some time. A validator
  // that has, and knows nothing of what it has signed, lost its folder: it takes no checkpoint but
  // replays the rounds, whose records have its ratings.
  [[nodiscard]] Actions on_stakes(const protocol::ValidatorStakes& stakes, bool has_set_weights,
                                  TimeMs now);
  // `members`: of the block that AskMembers named, or why the ledger does not tell.
  [[nodiscard]] Actions on_members(Round round, const Result<protocol::LedgerView>& members);
  [[nodiscard]] Actions on_adopted(const Hash& theta_root, TimeMs now);
  [[nodiscard]] Actions on_tick(TimeMs now);
  // The ledger's newest head that this node knows: its next messages carry it.
  void on_ledger_head(const protocol::LedgerHead& head) { ledger_head_ = head; }

  [[nodiscard]] const protocol::ChainHead& head() const { return follower_.head(); }
  // With what it has evaluated and no Screen has shown yet.
  [[nodiscard]] RatingBook book() const;
  // For the ledger; none before a round was sealed.
  [[nodiscard]] std::optional<protocol::Anchor> anchor() const;
  [[nodiscard]] bool finished() const { return finished_; }
  [[nodiscard]] const Hash& theta_root() const { return theta_root_; }
  [[nodiscard]] const Hash& downlink_root() const { return downlink_root_; }
  [[nodiscard]] const protocol::SittingOut& sitting_out() const { return sitting_out_; }
  [[nodiscard]] std::optional<TimeMs> next_deadline() const;

 private:
  using Payloads = std::map<Uid, std::shared_ptr<const compression::DecodedPayload>>;
  using Secret = protocol::Secret;
  // What this validator has done in the coming round.
  struct Progress {
    bool members_asked = false;
    bool gradient_asked = false;
    bool gradient_done = false;
    std::optional<std::map<Uid, protocol::Signed<protocol::Commit>>> commits;  // of the close
    std::optional<std::map<Uid, protocol::Signed<protocol::Reveal>>> reveals;
    std::map<Hash, Bytes> blobs;  // fetched, not open yet
    std::set<Hash> fetching;
    std::map<Uid, protocol::OpenedPayload> opened;
    Payloads payloads;            // of opened, those that decode
    bool payloads_ready = false;  // all of the close are open
    bool record_asked = false;
    std::optional<protocol::SealRecord> record;  // of the manifest
    bool cosines_asked = false;
    std::optional<std::map<Uid, double>> cosines;
    std::optional<TimeMs> keys_out;  // when RevealsClosed was complete here
    bool applying = false;
    bool accused = false;
    bool state_checked = false;  // against the other validators' attestations
  };
  // The round sealed last, until it is scored.
  struct LastRound {
    protocol::RoundOpen open;
    Hash late_beacon;
    Secret secret{};
    bool secret_was_promised = false;
    Payloads payloads;
    std::map<Uid, float> weights;  // in the aggregate
    std::shared_ptr<const compression::SparseUpdate> aggregate;
    SealedFacts facts;
    std::map<Uid, std::uint32_t> sequences_used;
    std::vector<Peer> peers;
    std::optional<ReviewDraw> review;
  };
  enum class Scoring { kNone, kRunning, kStopping };
  // The Screen signed last. It outlives starting over: a round is screened once.
  struct SignedScreen {
    Round round;
    std::optional<Bytes> bytes;
  };
  struct SignedManifest {
    Round round;
    Bytes bytes;
  };

  void advance(TimeMs now);
  void ask_members();
  void ask_gradient();
  void ask_scores();
  [[nodiscard]] ScoreTask scores_of(const Secret& secret, std::span<const Uid> miners) const;
  void read_close();
  void open_what_is_there();
  void take_record(ByteSpan blob);
  void keep_own_sealed_screen();
  void screen_when_ready(TimeMs now);
  void send_screen();
  void verify_and_apply();
  void finish_run();
  void check_own_state();
  void start_over(const std::string& why);
  void adopt(protocol::HeadState head, std::shared_ptr<const std::vector<float>> theta,
             std::shared_ptr<const std::vector<float>> residual);
  void move_to(const protocol::HeadState& head);
  void consider_offer();
  void take_checkpoint(ByteSpan blob, TimeMs now);
  void decline_checkpoint(const Error& why, TimeMs now);
  void stop_scoring();
  [[nodiscard]] const Bytes* own_screen() const;  // of the coming round, if any
  void accuse(protocol::DisputeReason reason, const Hash& expected, const Hash& found,
              std::vector<Bytes> proof);
  void finalise(const std::vector<Measurement>& measurements);
  void take_sealed_screen();
  void keep_sealed(protocol::Assessment assessment);
  [[nodiscard]] std::vector<protocol::Assessment> due_assessments(
      const protocol::Assessment& own) const;
  void note_evaluated(const std::vector<protocol::Evaluation>& evaluations);
  void note_reviews(const std::vector<protocol::Review>& reviews);
  void remember_round();
  void send_ready(TimeMs now);
  void send_attest();
  void persist_news();
  void hand_back(protocol::Phase phase);
  void ask_for_what_was_missed(TimeMs now);
  [[nodiscard]] bool is_active()
      const;  // may screen: its secret's hash stands in the last manifest
  [[nodiscard]] Secret secret_for(Round round) const;
  [[nodiscard]] const protocol::RosterEntry* own_entry() const;
  [[nodiscard]] Result<protocol::SealedRound> seal_again(std::vector<float>& residual) const;
  template <class Message>
  Bytes sign(const Message& message) const {
    return protocol::sign_message(head().position(), message, key_);
  }
  Actions take_actions();

  protocol::ProtocolParams params_;
  compression::Layout layout_;
  SigningKey key_;
  Config config_;
  protocol::Follower follower_;
  std::shared_ptr<const std::vector<float>> residual_;  // shared with the Apply that saves it
  Hash theta_root_;
  Hash downlink_root_;
  std::optional<protocol::LedgerHead> ledger_head_;
  Hash left_out_, disputes_;  // as Anchor has them
  protocol::Joining joining_;
  std::optional<protocol::HeadState> adopting_;  // until θ is replaced
  std::optional<Round> started_over_;  // before this round, which no attestation has confirmed yet
  std::optional<SignedManifest> doubted_;  // did not follow from what this node had
  SignedScreen signed_;
  Progress progress_;
  std::optional<LastRound> last_;
  std::map<Uid, protocol::Verdict> verdicts_;  // of the coming round, once screened
  std::shared_ptr<const compression::SparseUpdate> last_aggregate_;
  Scoring scoring_ = Scoring::kNone;
  std::vector<protocol::Evaluation> evaluations_;  // no sealed Screen has their hash
  std::optional<protocol::Assessment>
      assessment_;                              // of the Screen signed last, until that is sealed
  std::vector<protocol::Assessment> unopened_;  // sealed, by round
  Round evaluated_;  // before this round: no round is evaluated twice, also when it is replayed
  std::string platform_class_;
  SealedBook book_;
  Reviews reviews_;
  RatingBook opened_;  // of what its sealed Screens have opened
  protocol::Patience patience_;
  protocol::SittingOut sitting_out_;
  bool finished_ = false;
  Actions actions_;
};

}  // namespace muster::verify
