#include "miner/service.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/overloaded.h"
#include "base/wait_out.h"
#include "base/worker.h"
#include "compression/segmented_blob.h"
#include "state/state_root.h"

namespace muster::miner {
namespace {

constexpr int kTickMs = 100;
constexpr TimeMs kLookAtLedgerMs = 60'000;
// After that many rounds away nothing of the error feedback is left to decay.
constexpr std::uint64_t kMissedMax = 1000;

struct Trained {
  Round round;
  Result<std::pair<protocol::TrainReport, compression::Payload>> result;
  TimeMs started = 0, ended = 0;
};
struct Applied {
  Round next;
  Status status;
  Hash theta_root;
};
struct Adopted {
  Status status;
  Hash theta_root;
};
struct Stakes {
  Result<protocol::ValidatorStakes> stakes;
};
struct Fetched {
  Hash id;
  Bytes blob;
};
struct Problem {
  std::string text;
};
using Input = std::variant<Trained, Applied, Adopted, Stakes, protocol::LedgerHead,
                           std::vector<protocol::SeenAnchor>, Fetched, Problem>;

const char* name_of_action(const Action& action) {
  return std::visit(
      Overloaded{
          [](const Send&) { return "send"; }, [](const Persist&) { return "persist"; },
          [](const Train&) { return "train"; }, [](const StopTraining&) { return "stop"; },
          [](const Upload&) { return "upload"; }, [](const UploadAgain&) { return "upload_again"; },
          [](const Fetch&) { return "fetch"; }, [](const Apply&) { return "apply"; },
          [](const AskStakes&) { return "ask_stakes"; }, [](const Adopt&) { return "adopt"; },
          [](const RoundDone&) { return "round_done"; }, [](const Accuse&) { return "accuse"; },
          [](const CompareHeads&) { return "compare_heads"; }, [](const Note&) { return "note"; },
          [](const Finish&) { return "finish"; }},
      action);
}

class Service {
 public:
  Service(ServiceParts parts, const std::atomic<bool>& stop)
      : parts_(std::move(parts)),
        stop_(stop),
        layout_(state::layout_of(parts_.params.model)),
        core_(parts_.params, parts_.key, parts_.config, parts_.conduct),
        anchors_(protocol::run_id_of(parts_.params)),
        blobs_(std::move(parts_.blob_transport), parts_.params.coordinator,
               wire::BlobClient([](ByteSpan blob) { return compression::blob_id(blob); }),
               {[this](const Hash& id, Bytes blob) {
                  inputs_.push(Fetched{id, std::move(blob)});
                },
                [](const Hash&) {},
                [this](const std::string& text) { inputs_.push(Problem{text}); }}) {}

  Status run() {
    // The tag of the trainer's state: how many records the journal had then.
    MUSTER_TRY(const std::uint64_t saved, load());
    MUSTER_TRY_STATUS(protocol::recover_from(*parts_.journal, saved, parts_.key,
                                             {[this](ByteSpan record, bool in_state) {
                                                Status recovered = core_.recover(record, in_state);
                                                anchors_.reach(core_.head().position());
                                                return recovered;
                                              },
                                              [this] { return core_.head().position(); }}));
    if (saved > 0)
      parts_.logger.info("resumed before round " + std::to_string(core_.head().round().value));
    MUSTER_TRY_STATUS(carry_out(
        core_.start(state::parameters_root(layout_, parts_.trainer->parameters()), now())));
    while (!stop_ && !finished_) {
      if (now() >= next_look_) look_at_ledger();
      MUSTER_TRY(auto incoming, parts_.transport->receive(kTickMs, inputs_.fd()));
      if (incoming) MUSTER_TRY_STATUS(carry_out(core_.on_message(incoming->message, now())));
      while (auto input = inputs_.pop()) MUSTER_TRY_STATUS(take(std::move(*input)));
      MUSTER_TRY_STATUS(carry_out(core_.on_tick(now())));
      if (failure_) return *failure_;
    }
    stop_training_ = true;
    return {};
  }

 private:
  [[nodiscard]] TimeMs now() const { return clock_.now_ms(); }

  Result<std::uint64_t> load() {
    if (!std::filesystem::exists(parts_.trainer_file)) return std::uint64_t{0};
    return parts_.trainer->load(parts_.trainer_file);
  }

  Status take(Input input) {
    return std::visit(
        Overloaded{[&](Trained& trained) { return take_trained(trained); },
                   [&](Applied& applied) -> Status {
                     MUSTER_TRY_STATUS(std::move(applied.status));
                     parts_.events({"applied",
                                    {{"round", static_cast<std::int64_t>(applied.next.value) - 1},
                                     {"time_ms", now()},
                                     {"theta_root", applied.theta_root.hex()}}});
                     MUSTER_TRY_STATUS(
                         carry_out(core_.on_applied(applied.next, applied.theta_root, now())));
                     anchors_.reach(core_.head().position());
                     return {};
                   },
                   [&](Adopted& adopted) -> Status {
                     MUSTER_TRY_STATUS(std::move(adopted.status));
                     parts_.logger.info("took over θ " + adopted.theta_root.brief());
                     return carry_out(core_.on_adopted(adopted.theta_root, now()));
                   },
                   [&](Stakes& answer) {
                     if (!answer.stakes) parts_.logger.warning(answer.stakes.error().message);
                     return carry_out(core_.on_stakes(
                         answer.stakes ? *answer.stakes : protocol::ValidatorStakes{}, now()));
                   },
                   [&](Fetched& fetched) {
                     return carry_out(core_.on_blob(fetched.id, fetched.blob, now()));
                   },
                   [&](protocol::LedgerHead& head) {
                     core_.on_ledger_head(head);
                     return Status();
                   },
                   [&](std::vector<protocol::SeenAnchor>& anchors) {
                     for (const std::string& difference : anchors_.compare(anchors))
                       parts_.logger.warning(difference);
                     return Status();
                   },
                   [&](Problem& problem) {
                     parts_.logger.warning(problem.text);
                     return Status();
                   }},
        input);
  }

  Status take_trained(Trained& trained) {
    if (!trained.result) {
      return carry_out(core_.on_training_failed(trained.round, trained.result.error(), now()));
    }
    auto& [report, payload] = *trained.result;
    parts_.events({"trained",
                   {{"round", static_cast<std::int64_t>(trained.round.value)},
                    {"start_ms", trained.started},
                    {"end_ms", trained.ended},
                    {"inner_steps", static_cast<std::int64_t>(report.inner_steps)},
                    {"skipped_steps", static_cast<std::int64_t>(report.skipped_steps)},
                    {"mean_loss", report.mean_loss}}});
    return carry_out(core_.on_trained(trained.round, report, std::move(payload), now()));
  }

  Status carry_out(Actions actions) {
    for (Action& action : actions) {
      const std::string name = std::string("miner.") + name_of_action(action);
      parts_.failpoints.pass(name + ".before");
      MUSTER_TRY_STATUS(wait_out([&] { return perform(action); }, stop_, parts_.logger));
      parts_.failpoints.pass(name + ".after");
    }
    return {};
  }

  Status save(std::uint64_t records) {
    return wait_out([&] { return parts_.trainer->save(parts_.trainer_file, records); }, stop_,
                    parts_.logger);
  }

  // Trains on the worker; the trainer's state is saved before anything of it can leave.
  void train(Train train) {
    stop_training_ = false;
    worker_.post([this, records = parts_.journal->count(), train = std::move(train)] {
      Trained trained{train.task.round, Error{Errc::kCancelled, "stopped"}, now(), 0};
      auto work = [&]() -> Result<std::pair<protocol::TrainReport, compression::Payload>> {
        MUSTER_TRY(auto report,
                   parts_.trainer->train(train.task, stop_training_, [](std::uint32_t) {}));
        trained.ended = now();
        MUSTER_TRY(auto payload, parts_.trainer->encode(train.format));
        MUSTER_TRY_STATUS(save(records));
        return std::pair{report, std::move(payload)};
      };
      trained.result = work();
      inputs_.push(std::move(trained));
    });
  }

  void apply(Apply apply) {
    worker_.post([this, records = parts_.journal->count(), apply = std::move(apply)] {
      Applied applied{apply.next, {}, {}};
      if (apply.settlement) parts_.trainer->settle(*apply.settlement);
      if (apply.aggregate) applied.status = parts_.trainer->apply(*apply.aggregate);
      if (applied.status) applied.status = save(records);
      applied.theta_root = state::parameters_root(layout_, parts_.trainer->parameters());
      inputs_.push(std::move(applied));
    });
  }

  // Null: those that the run starts from.
  Status set_parameters(const std::vector<float>* theta) {
    if (theta) return parts_.trainer->set_parameters(*theta);
    MUSTER_TRY(const auto initial, parts_.initial_theta());
    return parts_.trainer->set_parameters(initial);
  }

  void adopt(Adopt adopt) {
    worker_.post([this, records = parts_.journal->count(), adopt = std::move(adopt)] {
      Adopted adopted;
      for (std::uint64_t i = 0; i < std::min(adopt.missed, kMissedMax); ++i)
        parts_.trainer->settle(protocol::Settlement::kMissed);
      adopted.status = set_parameters(adopt.theta.get());
      if (adopted.status) adopted.status = save(records);
      adopted.theta_root = state::parameters_root(layout_, parts_.trainer->parameters());
      inputs_.push(std::move(adopted));
    });
  }

  // On its own thread: the ledger may be slow to answer.
  void ask_stakes() {
    ledger_worker_.post([this] {
      const auto ask = [this]() -> Result<protocol::ValidatorStakes> {
        MUSTER_TRY(const auto view, parts_.ledger->members_at(std::nullopt));
        return protocol::validator_stakes(view.members);
      };
      inputs_.push(Stakes{ask()});
    });
  }

  // Nobody answers a hotkey that is not registered. The ledger client says so when it is asked, so
  // it is, now and then.
  void look_at_ledger() {
    next_look_ = now() + kLookAtLedgerMs;
    ledger_worker_.post([this] {
      if (const auto metagraph = parts_.ledger->metagraph()) {
        inputs_.push(protocol::anchors_of(*metagraph));
      } else {
        inputs_.push(Problem{metagraph.error().message});
      }
      tell_head();
    });
  }

  void compare_heads(std::vector<protocol::SeenHead> heads) {
    ledger_worker_.post([this, heads = std::move(heads)] {
      for (std::string& difference :
           head_watch_.compare([this](auto& head) { return parts_.ledger->compare(head); }, heads))
        inputs_.push(Problem{std::move(difference)});
    });
  }

  void tell_head() {
    if (const auto head = parts_.ledger->newest_head()) inputs_.push(*head);
  }

  Status upload(const Upload& upload) {
    MUSTER_TRY_STATUS(replace_file(outbox_file(upload.id), upload.blob));
    if (!last_upload_.empty() && last_upload_ != outbox_file(upload.id))
      std::filesystem::remove(last_upload_);
    last_upload_ = outbox_file(upload.id);
    blobs_.upload(upload.id, upload.blob);
    return {};
  }

  // After a restart the blob comes back from the outbox.
  Status upload_again(const Hash& id) {
    auto blob = read_file(outbox_file(id), limits::kBlobBytesMax);
    if (blob) {
      last_upload_ = outbox_file(id);
      blobs_.upload(id, std::move(*blob));
    } else {
      parts_.logger.warning(blob.error().message);
    }
    return {};
  }

  [[nodiscard]] std::filesystem::path outbox_file(const Hash& id) const {
    return parts_.outbox / id.hex();
  }

  void report(const RoundDone& done) {
    const std::uint64_t up = blobs_.bytes_up(), down = blobs_.bytes_down();
    parts_.events({"round",
                   {{"round", static_cast<std::int64_t>(done.round.value)},
                    {"time_ms", now()},
                    {"in_roster", static_cast<std::int64_t>(done.in_roster)},
                    {"outcome", std::string(name_of(done.outcome))},
                    {"bytes_up", static_cast<std::int64_t>(up - reported_up_)},
                    {"bytes_down", static_cast<std::int64_t>(down - reported_down_)}}});
    reported_up_ = up;
    reported_down_ = down;
    std::error_code ignored;
    if (core_.sitting_out().is_over(done.round)) std::filesystem::remove(parts_.restored, ignored);
  }

  Status perform(Action& action) {
    return std::visit(
        Overloaded{
            [&](Send& send) {
              (void)parts_.transport->send(parts_.params.coordinator, send.message);
              return Status();
            },
            [&](Persist& record) { return parts_.journal->append(record.round, record.message); },
            [&](Train& job) {
              train(std::move(job));
              return Status();
            },
            [&](StopTraining&) {
              stop_training_ = true;
              return Status();
            },
            [&](Upload& job) { return upload(job); },
            [&](UploadAgain& again) { return upload_again(again.id); },
            [&](Fetch& fetch) {
              blobs_.fetch(fetch.id, protocol::state_bytes_max(layout_));
              return Status();
            },
            [&](Apply& job) {
              apply(std::move(job));
              return Status();
            },
            [&](AskStakes&) {
              ask_stakes();
              return Status();
            },
            [&](Adopt& job) {
              adopt(std::move(job));
              return Status();
            },
            [&](RoundDone& done) {
              report(done);
              return Status();
            },
            [&](Accuse& accuse) {
              failure_ = Error{Errc::kConflict,
                               "stopped, with proof against the coordinator or this node's "
                               "own state: " +
                                   std::string(name_of(accuse.reason))};
              parts_.events({"dispute", {{"reason", std::string(name_of(accuse.reason))}}});
              return Status();
            },
            [&](CompareHeads& seen) {
              compare_heads(std::move(seen.heads));
              return Status();
            },
            [&](Note& note) {
              parts_.logger.warning(note.text);
              return Status();
            },
            [&](Finish&) {
              finished_ = true;
              return Status();
            }},
        action);
  }

  ServiceParts parts_;
  const std::atomic<bool>& stop_;
  compression::Layout layout_;
  SteadyClock clock_;
  Mailbox<Input> inputs_;
  Miner core_;
  protocol::AnchorWatch anchors_;
  wire::BlobClientEndpoint blobs_;
  std::filesystem::path last_upload_;
  TimeMs next_look_ = 0;  // at the ledger
  std::uint64_t reported_up_ = 0, reported_down_ = 0;
  std::atomic<bool> stop_training_{false};
  std::optional<Error> failure_;
  bool finished_ = false;
  protocol::HeadWatch head_watch_;  // used on the ledger's thread only
  Worker ledger_worker_;
  Worker worker_;  // last: its jobs use the rest
};

}  // namespace

Status run_service(ServiceParts parts, const std::atomic<bool>& stop) {
  return Service(std::move(parts), stop).run();
}

}  // namespace muster::miner
