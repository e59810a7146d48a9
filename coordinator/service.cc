#include "coordinator/service.h"

#include <algorithm>

#include "base/limits.h"
#include "base/overloaded.h"
#include "base/wait_out.h"
#include "base/worker.h"
#include "compression/segmented_blob.h"
#include "coordinator/model_files.h"
#include "wire/peer_budget.h"

namespace muster::coordinator {
namespace {

constexpr int kTickMs = 100;
constexpr int kMessagesPerTick = 4096;

struct BlobArrived {
  PublicKey from;
  Hash id;
};
struct CheckpointWritten {
  Status status;
  Hash id;
};
using Input = std::variant<BlobArrived, CheckpointWritten, LedgerView, Error>;

// The last one and the one before it, for who is fetching it.
constexpr std::size_t kCheckpointsKept = 2;

std::string name_of_action(const Action& action) {
  return std::visit(
      Overloaded{[](const Send&) { return "send"; }, [](const Broadcast&) { return "broadcast"; },
                 [](const Persist&) { return "persist"; },
                 [](const StoreBlob&) { return "store_blob"; },
                 [](const ReplayRound&) { return "replay_round"; },
                 [](const ExpectUpload&) { return "expect_upload"; },
                 [](const EndUploads&) { return "end_uploads"; },
                 [](const WriteCheckpoint&) { return "write_checkpoint"; },
                 [](const RoundSealed&) { return "round_sealed"; },
                 [](const CompareHeads&) { return "compare_heads"; },
                 [](const Note&) { return "note"; }, [](const Finish&) { return "finish"; }},
      action);
}

class Service {
 public:
  Service(ServiceParts parts, ModelFiles model, const std::atomic<bool>& stop)
      : parts_(std::move(parts)),
        stop_(stop),
        layout_(state::layout_of(parts_.params.model)),
        model_(std::move(model)),
        core_(parts_.params, parts_.key, parts_.config,
              {model_.theta(), model_.downlink_residual(), model_.checkpoint()},
              [this](const Hash& id) { return read_blob(id); }),
        blob_endpoint_(std::move(parts_.blob_transport), parts_.blobs, parts_.payloads, {},
                       {[this](const PublicKey& from, const Hash& id) {
                          inputs_.push(BlobArrived{from, id});
                        },
                        [this](const std::string& problem) {
                          inputs_.push(Error{Errc::kNoSpace, problem});
                        }}) {}

  Status run() {
    const auto& stop = stop_;
    poll_ledger();
    MUSTER_TRY_STATUS(wait_for_ledger(stop));
    std::set<Hash> payloads;
    std::set<Hash> committed_since_close;
    MUSTER_TRY_STATUS(parts_.journal->replay(0, [&](Round, ByteSpan record) -> Status {
      MUSTER_TRY(const wire::Envelope envelope, wire::reread_envelope(record));
      if (const auto commit = protocol::read_body<protocol::Commit>(envelope))
        committed_since_close.insert(commit->payload_id);
      if (is_a(envelope, protocol::MessageType::kCommitsClosed)) {
        committed_since_close.clear();
        MUSTER_TRY(const auto closed, protocol::read_body<protocol::CommitsClosed>(envelope));
        const auto named = protocol::payloads_named(closed);
        if (named.size() != closed.commits.size())
          return Error{Errc::kMalformed, "CommitsClosed: a commit in it does not read"};
        payloads.insert(named.begin(), named.end());
      }
      return core_.recover(record);
    }));
    payloads.merge(committed_since_close);
    drop_unlisted_payloads(payloads);
    MUSTER_TRY(checkpoints_, checkpoint_blobs(*parts_.journal));
    if (model_.checkpoint())
      parts_.logger.info("model from the checkpoint of round " +
                         std::to_string(model_.checkpoint()->round.value));
    if (parts_.journal->count() > 0)
      parts_.logger.info("resumed in round " + std::to_string(core_.head().round().value) + ", " +
                         std::string(name_of(core_.phase())));
    MUSTER_TRY_STATUS(carry_out(core_.start(now())));
    TimeMs next_poll = now() + parts_.ledger_poll_ms;
    while (!stop) {
      if (finished_ && now() - last_needed_ > static_cast<TimeMs>(parts_.linger_ms)) break;
      MUSTER_TRY_STATUS(take_what_has_arrived());
      if (parts_.shared_keys)
        std::ranges::for_each(parts_.shared_keys(), [this](const auto& key) { say_shared(key); });
      MUSTER_TRY_STATUS(carry_out(core_.on_tick(now())));
      if (now() >= next_poll) {
        next_poll = now() + parts_.ledger_poll_ms;
        poll_ledger();
      }
    }
    for (const auto& [reason, count] : core_.refused())
      parts_.logger.info("refused messages: " + std::to_string(count) + " × " + reason);
    return {};
  }

 private:
  [[nodiscard]] TimeMs now() const { return clock_.now_ms(); }

  // No phase ends by time while something that was in time still waits to be read.
  Status take_what_has_arrived() {
    const auto deadline = core_.next_deadline();
    TimeMs wait = deadline ? std::clamp<TimeMs>(*deadline - now(), 0, kTickMs) : kTickMs;
    for (int taken = 0; taken < kMessagesPerTick; ++taken) {
      MUSTER_TRY(auto incoming, parts_.transport->receive(static_cast<int>(wait), inputs_.fd()));
      if (incoming)
        MUSTER_TRY_STATUS(carry_out(core_.on_message(incoming->from, incoming->message, now())));
      bool any = incoming.has_value();
      while (auto input = inputs_.pop()) {
        any = true;
        MUSTER_TRY_STATUS(take(std::move(*input)));
      }
      if (!any) return {};
      wait = 0;
    }
    return {};
  }

  // Which of the two should not run, only their owner knows: both hear it.
  void say_shared(const wire::SharedKey& shared) {
    const std::string text =
        "two processes with the hotkey " + shared.key.brief() + " are connected, from " +
        shared.address + " and " + shared.other_address +
        ": stop one of them; two that sign for one round are evidence against their key";
    parts_.logger.warning(text);
    (void)parts_.transport->send(
        shared.key,
        protocol::sign_message(core_.head().position(), protocol::Refused{text}, parts_.key));
  }

  Result<Bytes> read_blob(const Hash& id) const {
    const bool is_payload = parts_.payloads.size(id).has_value();
    const wire::BlobStore& store = is_payload ? parts_.payloads : parts_.blobs;
    MUSTER_TRY(const std::uint64_t size, store.size(id));
    return store.read(id, 0, size);
  }

  // One that was complete when the uploads ended, and heard of only now, is kept if the close lists
  // it.
  void take_upload(const Hash& id) {
    if (!uploads_end_) {
      uploaded_.insert(id);
    } else if (!uploads_end_->contains(id)) {
      parts_.payloads.drop(id);
    }
  }

  // What a crash left behind of uploads that no close lists.
  void drop_unlisted_payloads(const std::set<Hash>& listed) {
    const auto stored = parts_.payloads.list();
    if (!stored) return parts_.logger.warning(stored.error().message);
    for (const Hash& id : *stored)
      if (!listed.contains(id)) parts_.payloads.drop(id);
  }

  void poll_ledger() {
    ledger_worker_.post([this] {
      if (auto view = parts_.ledger->members_at(std::nullopt)) {
        inputs_.push(std::move(*view));
      } else {
        inputs_.push(std::move(view).error());
      }
    });
  }

  void compare_heads(std::vector<protocol::SeenHead> heads) {
    ledger_worker_.post([this, heads = std::move(heads)] {
      for (std::string& difference :
           head_watch_.compare([this](auto& head) { return parts_.ledger->compare(head); }, heads))
        inputs_.push(Error{Errc::kConflict, std::move(difference)});
    });
  }

  // Signatures say who sent a message, the ledger who may: nothing works before it has answered.
  Status wait_for_ledger(const std::atomic<bool>& stop) {
    while (!stop && core_.phase() == protocol::Phase::kGather) {
      auto incoming = parts_.transport->receive(kTickMs, inputs_.fd());
      if (!incoming) return std::move(incoming).error();
      if (auto input = inputs_.pop()) {
        const bool answered = std::holds_alternative<LedgerView>(*input);
        if (!answered) parts_.logger.warning(std::get<Error>(*input).message);
        if (!answered) poll_ledger();
        if (answered) return take(std::move(*input));
      }
    }
    return Error{Errc::kCancelled, "stopped before the ledger answered"};
  }

  Status take(Input input) {
    return std::visit(
        Overloaded{[&](BlobArrived& blob) {
                     take_upload(blob.id);
                     return carry_out(core_.on_blob(blob.from, blob.id, now()));
                   },
                   [&](CheckpointWritten& written) -> Status {
                     if (!written.status) {
                       parts_.logger.warning("no checkpoint this time: " +
                                             written.status.error().message);
                       core_.on_checkpoint_failed();
                       return {};
                     }
                     MUSTER_TRY_STATUS(carry_out(core_.on_checkpoint(written.id, now())));
                     keep_last(written.id);
                     return {};
                   },
                   [&](LedgerView& view) {
                     std::set<PublicKey> hotkeys;
                     for (const Member& member : view.members) hotkeys.insert(member.hotkey);
                     parts_.admit(hotkeys);
                     return carry_out(core_.on_ledger(std::move(view), now()));
                   },
                   [&](Error& error) {
                     parts_.logger.warning(error.message);
                     return Status();
                   }},
        input);
  }

  Status carry_out(Actions actions) {
    for (Action& action : actions) {
      const std::string name = "coordinator." + name_of_action(action);
      parts_.failpoints.pass(name + ".before");
      MUSTER_TRY_STATUS(wait_out([&] { return perform(action); }, stop_, parts_.logger));
      parts_.failpoints.pass(name + ".after");
    }
    return {};
  }

  Status perform(Action& action) {
    return std::visit(
        Overloaded{
            [&](Send& send) {
              answer(send.to, send.message);
              return Status();
            },
            [&](Broadcast& message) {
              for (const Member& member : core_.members())
                if (!message.role || *message.role == core_.role_of(member.hotkey))
                  (void)parts_.transport->send(member.hotkey, message.message);
              return Status();
            },
            [&](Persist& record) { return parts_.journal->append(record.round, record.message); },
            [&](StoreBlob& store) { return parts_.blobs.put(store.id, store.blob); },
            [&](ReplayRound& replay) { return replay_round(replay); },
            [&](ExpectUpload& expected) {
              blob_endpoint_.permit(expected.from, expected.id, expected.bytes);
              uploads_end_.reset();
              return Status();
            },
            [&](EndUploads& end) {
              blob_endpoint_.end_round();
              for (const Hash& id : uploaded_)
                if (!end.listed.contains(id)) parts_.payloads.drop(id);
              uploaded_.clear();
              uploads_end_ = std::move(end.listed);
              return Status();
            },
            [&](WriteCheckpoint& job) {
              write_checkpoint(std::move(job));
              return Status();
            },
            [&](RoundSealed& sealed) {
              blob_endpoint_.end_round();
              uploaded_.clear();
              std::error_code ignored;
              std::filesystem::remove(parts_.restored, ignored);
              report(sealed);
              return Status();
            },
            [&](CompareHeads& seen) {
              compare_heads(std::move(seen.heads));
              return Status();
            },
            [&](Note& note) {
              parts_.logger.warning(note.text);
              parts_.events({"note", {{"text", note.text}}});
              return Status();
            },
            [&](Finish&) {
              finished_ = true;
              last_needed_ = now();
              parts_.events({"finished", {}});
              return Status();
            }},
        action);
  }

  // Who asks for more than its share hears nothing more until it is paid for; who is away asks
  // again when it is back.
  void answer(const PublicKey& to, const Bytes& message) {
    if (replies_.charge(to, 0, now()) > now()) return;
    (void)replies_.charge(to, message.size(), now());
    (void)parts_.transport->send(to, message);
  }

  // Copied here, hashed and written on the worker: the round that is opening does not wait.
  void write_checkpoint(const WriteCheckpoint& job) {
    worker_.post([this, blob = protocol::encode_state(layout_, job.head, model_.theta(),
                                                      model_.downlink_residual())] {
      CheckpointWritten written;
      written.id = compression::blob_id(blob).value();
      written.status = parts_.blobs.put(written.id, blob);
      inputs_.push(std::move(written));
    });
  }

  void keep_last(const Hash& id) {
    checkpoints_.push_back(id);
    if (checkpoints_.size() <= kCheckpointsKept) return;
    const Hash& old = checkpoints_[checkpoints_.size() - kCheckpointsKept - 1];
    // The state that a rebuilt folder begins with stays: the audit starts from it.
    if (core_.base() > Round{0} && old == checkpoints_.front()) return;
    parts_.blobs.drop(old);
  }

  Status replay_round(const ReplayRound& replay) {
    last_needed_ = now();
    MUSTER_TRY(const auto records, parts_.journal->records_of(replay.round));
    for (auto record = records.rbegin(); record != records.rend(); ++record) {
      const auto envelope = wire::reread_envelope(*record);
      if (!envelope || envelope->sender != parts_.key.public_key()) continue;
      if (const auto message = replay.answer_of(*record, *envelope)) answer(replay.to, *message);
    }
    return {};
  }

  void report(const RoundSealed& sealed) {
    const auto accepted = std::count_if(
        sealed.record.outcomes.begin(), sealed.record.outcomes.end(),
        [](const auto& outcome) { return outcome.code == protocol::OutcomeCode::kAccepted; });
    parts_.logger.info("sealed round " + std::to_string(sealed.round.value) + ": accepted " +
                       std::to_string(accepted) + " of " +
                       std::to_string(sealed.record.outcomes.size()) +
                       (sealed.manifest.null_round ? " (null round)" : ""));
    parts_.events({"sealed",
                   {{"round", static_cast<std::int64_t>(sealed.round.value)},
                    {"time_ms", now()},
                    {"accepted", static_cast<std::int64_t>(accepted)},
                    {"miners", static_cast<std::int64_t>(sealed.record.outcomes.size())},
                    {"screens", static_cast<std::int64_t>(sealed.record.screens.size())},
                    {"null", static_cast<std::int64_t>(sealed.manifest.null_round)},
                    {"state_id", sealed.manifest.state_id_after.hex()},
                    {"theta_root", sealed.theta_root.hex()},
                    {"downlink_root", sealed.downlink_root.hex()}}});
  }

  ServiceParts parts_;
  const std::atomic<bool>& stop_;
  compression::Layout layout_;
  SteadyClock clock_;
  Mailbox<Input> inputs_;
  ModelFiles model_;
  Coordinator core_;
  std::vector<Hash> checkpoints_;              // oldest first
  std::set<Hash> uploaded_;                    // in the open round
  std::optional<std::set<Hash>> uploads_end_;  // what its close lists, once uploads have ended
  wire::PeerBudgets<PublicKey> replies_{
      {.messages = {}, .bytes = {limits::kReplyBytesPerSecond, limits::kReplyBytesBurst}}};
  bool finished_ = false;
  TimeMs last_needed_ = 0;  // when the run ended or somebody was last helped to catch up
  wire::BlobServerEndpoint blob_endpoint_;
  protocol::HeadWatch head_watch_;  // used on the ledger's thread only
  Worker ledger_worker_;
  Worker worker_;  // last: its jobs use the rest
};

}  // namespace

Status run_service(ServiceParts parts, const std::atomic<bool>& stop) {
  MUSTER_TRY(auto model, ModelFiles::open(parts.model_folder, state::layout_of(parts.params.model),
                                          *parts.journal, parts.blobs, parts.initial_theta));
  return Service(std::move(parts), std::move(model), stop).run();
}

}  // namespace muster::coordinator
