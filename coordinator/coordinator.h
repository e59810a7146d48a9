// Coordinator: the role's pure core. It opens rounds, takes commits, keys and screens in, seals.
//
// Sans-I/O: every input is a call with the time of it, every output an Action, to be carried out in
// order: a Persist is durable before the next action starts, which is what "acknowledged" means
// here. After a crash a new Coordinator is fed what was persisted and resumes the same round;
// nothing that it sent can come out differently. Errors of peers are counted and ignored, never
// fatal. Thread safety: none; one owner.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "coordinator/membership.h"
#include "coordinator/round_state.h"
#include "protocol/checkpoint.h"
#include "protocol/deadlines.h"
#include "protocol/head_watch.h"
#include "protocol/round_record.h"
#include "protocol/seal.h"
#include "protocol/seal_record.h"

namespace muster::coordinator {

struct Send {
  PublicKey to;
  Bytes message;
};
struct Broadcast {
  Bytes message;
  std::optional<Role> role = {};  // to those of this role only
};
struct Persist {
  Round round;
  Bytes message;
};
struct StoreBlob {
  Hash id;
  Bytes blob;
};
// Send the persisted RoundOpen and Manifest of a sealed round, manifest first; to a validator its
// closes too.
struct ReplayRound {
  PublicKey to;
  Round round;
  bool with_closes = false;
  // What the answer has of this record of the round's journal, if anything.
  [[nodiscard]] std::optional<Bytes> answer_of(ByteSpan record,
                                               const wire::Envelope& envelope) const;
};
// Take the upload of this blob from `from`, which committed to it; then on_blob.
struct ExpectUpload {
  PublicKey from;
  Hash id;
  std::uint64_t bytes = 0;
};
// No more uploads in this round. What was uploaded in it and is not `listed` is to be forgotten.
struct EndUploads {
  std::set<Hash> listed;
};
// Write down θ and the residual as they are now, with `head`; once durable: on_checkpoint.
struct WriteCheckpoint {
  protocol::HeadState head;
};
// For people and reports; nothing depends on it.
struct RoundSealed {
  Round round;
  protocol::Manifest manifest;
  protocol::SealRecord record;
  Hash theta_root;
  Hash downlink_root;
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
using Action = std::variant<Send, Broadcast, Persist, StoreBlob, ReplayRound, ExpectUpload,
                            EndUploads, WriteCheckpoint, RoundSealed, CompareHeads, Note, Finish>;
using Actions = std::vector<Action>;

// Local settings; not part of the protocol.
struct Config {
  std::uint32_t start_miners = 1;  // wait for that many before round 0
  std::uint32_t start_validators = 0;
  std::uint32_t checkpoint_every = 32;  // rounds; 0: never
  // A node at least that many rounds behind a checkpoint is offered it instead of a replay. θ and
  // the residual cost 8 bytes per parameter, an aggregate of the default density about 0.07.
  std::uint32_t offer_after = 100;
  std::uint32_t threads = 1;  // for summing up and compressing
  // The folder is a restored copy, or was rebuilt: it may lack what was signed last, so no phase
  // ends before nodes had `timing.gather_ms` to hand that back.
  bool restored = false;
};

// The model as the core finds it and keeps it up to date: at genesis or at a checkpoint.
// The memory is the owner's, which lets it be a mapped file; it must outlive the core.
struct ModelMemory {
  std::span<float> theta;
  std::span<float> downlink_residual;
  std::optional<protocol::HeadState> checkpoint;  // whose state it is; none: genesis
};

class Coordinator {
 public:
  Coordinator(const protocol::ProtocolParams& params, const SigningKey& key, const Config& config,
              ModelMemory model, protocol::BlobReader blobs);

  // Feeds one persisted message back, in the order of persisting; before any other call. Rounds
  // before the model's checkpoint are only followed, later ones sealed again. Errors: kConflict and
  // others when the record does not fit: the journal is damaged or another run's.
  [[nodiscard]] Status recover(ByteSpan message);
  // Call once after the last recover(): resumes the phase with new durations.
  [[nodiscard]] Actions start(TimeMs now);

  [[nodiscard]] Actions on_message(const PublicKey& channel, ByteSpan message, TimeMs now);
  // A blob that ExpectUpload asked for is complete, verified and durable.
  [[nodiscard]] Actions on_blob(const PublicKey& from, const Hash& id, TimeMs now);
  [[nodiscard]] Actions on_ledger(LedgerView view, TimeMs now);
  // The checkpoint that WriteCheckpoint asked for is durable as the blob `id`.
  [[nodiscard]] Actions on_checkpoint(const Hash& id, TimeMs now);
  // It could not be written: the next one will be asked for in its turn.
  void on_checkpoint_failed() { pending_checkpoint_.reset(); }
  // Phases end by time here only: call it when every message that has arrived was handed over.
  [[nodiscard]] Actions on_tick(TimeMs now);

  [[nodiscard]] protocol::Phase phase() const { return phase_; }
  [[nodiscard]] const protocol::ChainHead& head() const { return head_; }
  [[nodiscard]] bool finished() const { return finished_; }
  // The round from which on the journal has records; not 0 in a rebuilt folder.
  [[nodiscard]] Round base() const { return base_; }
  // Everybody on the ledger: who broadcasts go to.
  [[nodiscard]] const std::vector<Member>& members() const { return membership_.ledger().members; }
  [[nodiscard]] std::span<const float> theta() const { return model_.theta; }
  // What the member does: in the open round as its roster says, else as Membership::role_of.
  [[nodiscard]] Role role_of(const PublicKey& hotkey) const;
  // Messages refused so far, by reason; for `muster status` and tests.
  [[nodiscard]] const std::map<std::string, std::uint64_t>& refused() const { return refused_; }
  // When on_tick has something to do next, if nothing else happens.
  [[nodiscard]] std::optional<TimeMs> next_deadline() const;

 private:
  // Live handlers: check, persist, apply, answer.
  Status handle_ready(const wire::Envelope& envelope, TimeMs now);
  Status check_ready(const wire::Envelope& envelope, const protocol::Ready& ready) const;
  [[nodiscard]] Status check_permit(const PublicKey& hotkey, Role role) const;
  void refuse_ready(const PublicKey& hotkey, const Error& why, TimeMs now);
  Status handle_commit(ByteSpan bytes, TimeMs now);
  [[nodiscard]] Status check_payload_named(const protocol::Commit& commit) const;
  Status handle_reveal(ByteSpan bytes, TimeMs now);
  Status handle_screen(ByteSpan bytes, TimeMs now);
  Status handle_attest(ByteSpan bytes);
  Status handle_dispute(const wire::Envelope& envelope, ByteSpan bytes);
  [[nodiscard]] protocol::Finished final_state() const;
  Status help_catch_up(const PublicKey& hotkey, Round round, const protocol::Ready& ready,
                       TimeMs now);
  Status help_without_records(const PublicKey& hotkey, Round round, const protocol::Ready& ready,
                              TimeMs now);
  Status take_back(const PublicKey& from, const wire::Envelope& envelope, ByteSpan bytes,
                   TimeMs now);
  Status wait_for_the_whole(protocol::MessageType type);
  Status take_back_manifest(ByteSpan bytes, TimeMs now);
  [[nodiscard]] bool lacks_payload_of(const PublicKey& miner) const;
  void expect_payloads();
  Status recover_base(const wire::Envelope& envelope);
  Status meet_checkpoint();
  [[nodiscard]] std::vector<Bytes> attestations_of_state() const;
  [[nodiscard]] bool is_attested_by_most(const std::vector<Bytes>& attestations) const;
  void answer_ready(const PublicKey& hotkey, const protocol::Ready& ready);

  // Phase changes, shared by live running and recovery.
  Status enter_train(ByteSpan open);
  Status enter_reveal(ByteSpan closed);
  Status enter_screen(ByteSpan closed);
  Status apply_manifest(ByteSpan manifest);

  enum class Until : bool { kComplete, kDeadline };  // what may end a phase
  void advance(TimeMs now, Until until);
  bool advance_once(TimeMs now, Until until);
  [[nodiscard]] bool may_open(TimeMs now, Until until);
  void open_round(TimeMs now);
  void say_what_is_awaited(TimeMs now);
  bool open_payloads(TimeMs now);
  void end_round(TimeMs now);
  void set_next_checkpoint(Round last);
  void ask_checkpoint(const std::vector<Bytes>& attestations);
  void write_checkpoint(std::vector<Bytes> attestations);
  void close_commits(TimeMs now);
  void end_uploads();
  void close_reveals(TimeMs now);
  void seal_round(TimeMs now);
  void maybe_finish(TimeMs now, Until until);

  // Who may deliver in the phase that is open, and how far they are.
  [[nodiscard]] protocol::Turnout turnout() const;
  [[nodiscard]] TimeMs phase_end(const protocol::Turnout& turnout) const;
  [[nodiscard]] protocol::RoundContext context() const;
  [[nodiscard]] Result<protocol::SealedRound> make_seal(
      const std::vector<Bytes>& screens, const std::vector<protocol::Evidence>& evidence,
      const std::map<Uid, std::uint32_t>& arrivals);
  void step_model(const protocol::SealedRound& sealed);
  template <class Message>
  Bytes sign(const Message& message) const {
    return protocol::sign_message(head_.position(), message, key_);
  }
  void send_receipt(const PublicKey& to, protocol::ReceiptFor what, const Hash& subject);
  void persist_and_broadcast(Bytes message);
  void persist_for_validators(Bytes message);
  // A message with a list of all miners: each miner gets its own form of it.
  void persist_and_distribute(Bytes message, const protocol::MinerForms& forms);
  void send_open(const PublicKey& to);
  Actions take_actions();

  protocol::ProtocolParams params_;
  compression::Layout layout_;
  SigningKey key_;
  Config config_;
  ModelMemory model_;
  Round model_round_;  // whose start the model stands at
  protocol::BlobReader blobs_;
  protocol::ChainHead head_;
  Membership membership_;
  protocol::Phase phase_ = protocol::Phase::kGather;
  RoundState round_;
  TimeMs phase_started_ = 0;
  TimeMs not_before_ = 0;              // of the next round: the pause after null rounds
  std::optional<TimeMs> gathered_at_;  // when a quorum was ready for the coming round
  TimeMs say_again_at_ = 0;            // what is awaited
  std::map<PublicKey, TimeMs> refusal_sent_;
  std::set<std::pair<Round, protocol::DisputeReason>> disputes_;  // kept, of the last rounds
  std::size_t dispute_bytes_ = 0;                                 // of all kept
  std::set<std::pair<Round, PublicKey>> disputants_;              // who was heard, likewise
  bool started_ = false;                                          // what was persisted is recovered
  Round base_;  // the journal has no records of rounds before it
  bool may_lack_open_ =
      false;  // of a restart between rounds: somebody may have seen the coming round's opening
  TimeMs hold_until_ = 0;   // no phase ends before: of a restored folder
  bool lost_open_ = false;  // the coming round's opening is signed, and is not here
  bool lost_seal_ = false;  // the open round's manifest is signed, and what it rests on is not here
  bool finished_ = false;
  std::optional<Hash> theta_root_;
  // Asked for and not written yet: where it belongs and who attests it.
  std::optional<protocol::CheckpointOffer> pending_checkpoint_;
  std::optional<Bytes> checkpoint_;  // the newest, as signed
  Round checkpoint_round_;
  Round next_checkpoint_;  // before this round, or a later one
  std::map<std::string, std::uint64_t> refused_;
  Actions actions_;
};

}  // namespace muster::coordinator
