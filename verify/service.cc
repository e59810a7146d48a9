#include "verify/service.h"

#include "base/overloaded.h"
#include "base/wait_out.h"
#include "base/worker.h"
#include "compression/segmented_blob.h"
#include "state/checkpoint.h"
#include "state/state_root.h"
#include "verify/weight_setter.h"

namespace muster::verify {
namespace {

constexpr int kTickMs = 100;

struct GradientDone {
  Round round;
  Status status;
};
struct CosinesDone {
  Round round;
  Result<std::map<Uid, double>> cosines;
};
struct ScoresDone {
  Result<Scored> scored;
  double seconds = 0;
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
  bool has_set_weights = false;  // this hotkey, at some time
};
struct Members {
  Round round;
  Result<protocol::LedgerView> view;
};
struct HeldOut {
  Round round;
  Result<double> loss;
};
struct Fetched {
  Hash id;
  Bytes blob;
};
struct Problem {
  std::string text;
};
// The weights that the ledger has from this validator now are those of its final ratings.
struct WeightsSettled {};
using Input = std::variant<GradientDone, CosinesDone, ScoresDone, Applied, Adopted, Stakes, Members,
                           HeldOut, protocol::LedgerHead, std::vector<protocol::SeenAnchor>,
                           Fetched, Problem, WeightsSettled>;

Result<std::map<Uid, double>> cosines_of(const MeasureCosines& job, protocol::LossProbe& probe) {
  std::map<Uid, double> cosines;
  for (const auto& item : job.items) {
    MUSTER_TRY(cosines[item.uid], probe.gradient_cosine(item.payload->whole));
  }
  return cosines;
}

const char* name_of_action(const Action& action) {
  return std::visit(
      Overloaded{
          [](const Send&) { return "send"; }, [](const Persist&) { return "persist"; },
          [](const Fetch&) { return "fetch"; }, [](const ComputeGradient&) { return "gradient"; },
          [](const MeasureCosines&) { return "cosines"; }, [](const Score&) { return "score"; },
          [](const StopScoring&) { return "stop"; }, [](const Apply&) { return "apply"; },
          [](const AskStakes&) { return "ask_stakes"; },
          [](const AskMembers&) { return "ask_members"; }, [](const Adopt&) { return "adopt"; },
          [](const Rated&) { return "rated"; }, [](const Accuse&) { return "accuse"; },
          [](const CompareHeads&) { return "compare_heads"; }, [](const Note&) { return "note"; },
          [](const Finish&) { return "finish"; }},
      action);
}

class Service {
 public:
  // `saved`: how many records the journal had when the state was saved.
  Service(ServiceParts parts, std::vector<float> downlink_residual, std::uint64_t saved,
          const std::atomic<bool>& stop)
      : parts_(std::move(parts)),
        stop_(stop),
        layout_(state::layout_of(parts_.params.model)),
        saved_(saved),
        core_(parts_.params, parts_.key, parts_.config, std::move(downlink_residual)),
        anchors_(protocol::run_id_of(parts_.params)),
        setter_(parts_.key, parts_.params.ledger_genesis, parts_.params.netuid),
        blobs_(std::move(parts_.blob_transport), parts_.params.coordinator,
               wire::BlobClient([](ByteSpan blob) { return compression::blob_id(blob); }),
               {[this](const Hash& id, Bytes blob) {
                  inputs_.push(Fetched{id, std::move(blob)});
                },
                [](const Hash&) {},
                [this](const std::string& text) { inputs_.push(Problem{text}); }}) {}

  Status run() {
    MUSTER_TRY_STATUS(protocol::recover_from(*parts_.journal, saved_, parts_.key,
                                             {[this](ByteSpan record, bool in_state) {
                                                Status recovered = core_.recover(record, in_state);
                                                anchors_.reach(core_.head().position());
                                                return recovered;
                                              },
                                              [this] { return core_.head().position(); }}));
    if (saved_ > 0)
      parts_.logger.info("resumed before round " + std::to_string(core_.head().round().value));
    MUSTER_TRY_STATUS(
        carry_out(core_.start(state::parameters_root(layout_, parts_.probe->parameters()), now())));
    TimeMs next_poll = now();
    while (!stop_ && !(settled_ && losses_awaited_ == 0)) {
      MUSTER_TRY(auto incoming, parts_.transport->receive(kTickMs, inputs_.fd()));
      if (incoming) MUSTER_TRY_STATUS(carry_out(core_.on_message(incoming->message, now())));
      while (auto input = inputs_.pop()) MUSTER_TRY_STATUS(take(std::move(*input)));
      MUSTER_TRY_STATUS(carry_out(core_.on_tick(now())));
      if (now() >= next_poll) {
        next_poll = now() + parts_.ledger_poll_ms;
        set_weights();
      }
    }
    stop_scoring_ = true;
    return failure_ ? Status(*failure_) : Status();
  }

 private:
  [[nodiscard]] TimeMs now() const { return clock_.now_ms(); }

  Status take(Input input) {
    return std::visit(
        Overloaded{
            [&](GradientDone& done) -> Status {
              MUSTER_TRY_STATUS(std::move(done.status));
              return carry_out(core_.on_gradient(done.round, now()));
            },
            [&](CosinesDone& done) -> Status {
              MUSTER_TRY(const auto cosines, std::move(done.cosines));
              return carry_out(core_.on_cosines(done.round, cosines, now()));
            },
            [&](ScoresDone& done) -> Status {
              MUSTER_TRY(const Scored scored, std::move(done.scored));
              parts_.events({"scored",
                             {{"round", static_cast<std::int64_t>(scored.round.value)},
                              {"miners", static_cast<std::int64_t>(scored.measurements.size())},
                              {"seconds", done.seconds}}});
              return carry_out(core_.on_scored(scored, parts_.probe->platform_class(), now()));
            },
            [&](Applied& applied) { return take_applied(applied); },
            [&](Adopted& adopted) -> Status {
              MUSTER_TRY_STATUS(std::move(adopted.status));
              parts_.logger.info("took over θ " + adopted.theta_root.brief());
              return carry_out(core_.on_adopted(adopted.theta_root, now()));
            },
            [&](Stakes& answer) {
              if (!answer.stakes) parts_.logger.warning(answer.stakes.error().message);
              return carry_out(
                  core_.on_stakes(answer.stakes ? *answer.stakes : protocol::ValidatorStakes{},
                                  answer.has_set_weights, now()));
            },
            [&](Members& answer) { return carry_out(core_.on_members(answer.round, answer.view)); },
            [&](HeldOut& held_out) {
              --losses_awaited_;
              if (!held_out.loss)
                parts_.logger.warning("held-out loss: " + held_out.loss.error().message);
              else
                parts_.events({"held_out",
                               {{"round", static_cast<std::int64_t>(held_out.round.value)},
                                {"loss", *held_out.loss}}});
              return Status();
            },
            [&](Fetched& fetched) {
              return carry_out(core_.on_blob(fetched.id, std::move(fetched.blob), now()));
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
            },
            [&](WeightsSettled&) {
              settled_ = true;
              return Status();
            }},
        input);
  }

  Status take_applied(Applied& applied) {
    MUSTER_TRY_STATUS(std::move(applied.status));
    const Round round{applied.next.value - 1};
    parts_.events({"applied",
                   {{"round", static_cast<std::int64_t>(round.value)},
                    {"time_ms", now()},
                    {"theta_root", applied.theta_root.hex()},
                    {"downlink_root", core_.downlink_root().hex()}}});
    std::error_code ignored;
    if (core_.sitting_out().is_over(round)) std::filesystem::remove(parts_.restored, ignored);
    if (parts_.measure_held_out) {
      // Behind the answer to the network: nobody waits for a report.
      ++losses_awaited_;
      worker_.post([this, round] { inputs_.push(HeldOut{round, parts_.probe->held_out_loss()}); });
    }
    MUSTER_TRY_STATUS(carry_out(core_.on_applied(applied.next, applied.theta_root, now())));
    anchors_.reach(core_.head().position());
    return {};
  }

  // Whoever has accused does nothing more in the run; its weights come into force all the same.
  Status carry_out(Actions actions) {
    for (Action& action : actions) {
      if (failure_) return {};
      const std::string name = std::string("validator.") + name_of_action(action);
      parts_.failpoints.pass(name + ".before");
      MUSTER_TRY_STATUS(wait_out([&] { return perform(action); }, stop_, parts_.logger));
      parts_.failpoints.pass(name + ".after");
    }
    return {};
  }

  void apply(Apply job) {
    worker_.post([this, records = parts_.journal->count(), job = std::move(job)] {
      Applied applied{job.next, {}, {}};
      if (job.aggregate) applied.status = parts_.probe->apply(*job.aggregate);
      if (applied.status) applied.status = save(records, *job.downlink_residual);
      applied.theta_root = state::parameters_root(layout_, parts_.probe->parameters());
      inputs_.push(std::move(applied));
    });
  }

  // Null: those that the run starts from.
  Status set_parameters(const std::vector<float>* theta) {
    if (theta) return parts_.probe->set_parameters(*theta);
    MUSTER_TRY(const auto initial, parts_.initial_theta());
    return parts_.probe->set_parameters(initial);
  }

  void adopt(Adopt job) {
    worker_.post([this, records = parts_.journal->count(), job = std::move(job)] {
      Adopted adopted;
      adopted.status = set_parameters(job.theta.get());
      if (adopted.status) adopted.status = save(records, *job.downlink_residual);
      adopted.theta_root = state::parameters_root(layout_, parts_.probe->parameters());
      inputs_.push(std::move(adopted));
    });
  }

  Status save(std::uint64_t records, const std::vector<float>& downlink_residual) {
    ByteWriter note;
    note.write(records);
    const auto write = [&] {
      return state::write_checkpoint(parts_.state_file, layout_, note.bytes(),
                                     parts_.probe->parameters(), downlink_residual);
    };
    return wait_out(write, stop_, parts_.logger);
  }

  void score(Score job) {
    stop_scoring_ = false;
    worker_.post([this, job = std::move(job)] {
      const TimeMs started = now();
      auto scored = measure(*parts_.probe, job, stop_scoring_);
      inputs_.push(ScoresDone{std::move(scored), static_cast<double>(now() - started) / 1000});
    });
  }

  void ask_stakes() {
    ledger_worker_.post([this] {
      Stakes answer{protocol::ValidatorStakes{}};
      if (auto metagraph = parts_.ledger->metagraph()) {
        answer.stakes = protocol::validator_stakes(protocol::members_of(*metagraph));
        const auto own = std::ranges::find(metagraph->neurons, parts_.key.public_key(),
                                           &protocol::Neuron::hotkey);
        answer.has_set_weights = own != metagraph->neurons.end() && protocol::has_set_weights(*own);
      } else {
        answer.stakes = std::move(metagraph).error();
      }
      inputs_.push(std::move(answer));
    });
  }

  void ask_members(const AskMembers& job) {
    ledger_worker_.post([this, job] {
      inputs_.push(Members{job.round, members_behind(*parts_.ledger, job.block)});
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

  // On its own thread: the ledger may be slow to answer.
  void set_weights() {
    if (ledger_busy_) return;
    ledger_busy_ = true;
    ledger_worker_.post([this, weights = core_.book().weights(), anchor = core_.anchor(),
                         final = core_.finished() || failure_.has_value()] {
      if (Status status = step_weights(weights, anchor, final); !status)
        inputs_.push(Problem{"weights: " + status.error().message});
      tell_head();
      ledger_busy_ = false;
    });
  }

  Status step_weights(const std::map<PublicKey, std::uint16_t>& weights,
                      const std::optional<protocol::Anchor>& anchor, bool final) {
    MUSTER_TRY(const auto metagraph, parts_.ledger->metagraph());
    inputs_.push(protocol::anchors_of(metagraph));
    if (final && final_since_ == 0) final_since_ = metagraph.block;
    // Two more epochs after the end bring the final ratings into force, a third pays by them.
    if (final && metagraph.block > final_since_ + 3 * metagraph.tempo) {
      inputs_.push(WeightsSettled{});
      return {};
    }
    const auto step = setter_.next(metagraph, weights);
    Status status;
    if (const auto* commit = std::get_if<WeightSetter::Commit>(&step))
      status = parts_.ledger->commit_weights(commit->vector);
    if (const auto* reveal = std::get_if<WeightSetter::Reveal>(&step))
      status = parts_.ledger->reveal_weights(reveal->vector);
    if (status) setter_.submitted(step);
    MUSTER_TRY_STATUS(std::move(status));
    return put_anchor(metagraph, anchor);
  }

  // Once an epoch, and at once with a dispute.
  Status put_anchor(const protocol::Metagraph& metagraph,
                    const std::optional<protocol::Anchor>& anchor) {
    if (!anchor || (anchored_epoch_ == metagraph.epoch && anchored_.disputes == anchor->disputes))
      return {};
    MUSTER_TRY_STATUS(parts_.ledger->set_commitment(protocol::encode_anchor(*anchor)));
    anchored_epoch_ = metagraph.epoch;
    anchored_ = *anchor;
    return {};
  }

  void report(const Rated& rated) {
    for (const auto& evaluation : rated.evaluations)
      parts_.events({"evaluated",
                     {{"round", static_cast<std::int64_t>(rated.round.value)},
                      {"uid", static_cast<std::int64_t>(evaluation.uid.value)},
                      {"basis", std::string(name_of(evaluation.basis))},
                      {"score", evaluation.scores.all_e3 / 1000.0},
                      {"drop", evaluation.drop_e6 / 1e6},
                      {"gate_passed", static_cast<std::int64_t>(evaluation.gate_passed)}}});
    const RatingBook book = core_.book();
    const auto weight_of = book.weights();
    const Yardstick yardstick = book.yardstick();
    for (const auto& [hotkey, rating] : book.ratings())
      parts_.events({"rating",
                     {{"round", static_cast<std::int64_t>(rated.round.value)},
                      {"hotkey", hotkey.hex()},
                      {"mean", rating.mean()},
                      {"lower_bound", rating.lower_bound()},
                      {"share", yardstick.share(rating)},
                      {"presence", rating.presence()},
                      {"evaluations", static_cast<std::int64_t>(rating.evaluations())},
                      {"weight", static_cast<std::int64_t>(weight_of.at(hotkey))}}});
  }

  Status perform(Action& action) {
    return std::visit(
        Overloaded{
            [&](Send& send) {
              (void)parts_.transport->send(parts_.params.coordinator, send.message);
              return Status();
            },
            [&](Persist& record) { return parts_.journal->append(record.round, record.message); },
            [&](Fetch& fetch) {
              blobs_.fetch(fetch.id, protocol::state_bytes_max(layout_));
              return Status();
            },
            [&](ComputeGradient& job) {
              worker_.post([this, job] {
                inputs_.push(
                    GradientDone{job.round, parts_.probe->compute_gradient(job.sequences)});
              });
              return Status();
            },
            [&](MeasureCosines& job) {
              worker_.post([this, job] {
                inputs_.push(CosinesDone{job.round, cosines_of(job, *parts_.probe)});
              });
              return Status();
            },
            [&](Score& job) {
              score(std::move(job));
              return Status();
            },
            [&](StopScoring&) {
              stop_scoring_ = true;
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
            [&](AskMembers& job) {
              ask_members(job);
              return Status();
            },
            [&](Adopt& job) {
              adopt(std::move(job));
              return Status();
            },
            [&](Rated& rated) {
              report(rated);
              return Status();
            },
            [&](Accuse& accuse) {
              failure_ = Error{
                  Errc::kConflict,
                  "stopped with a signed dispute: " + std::string(name_of(accuse.reason)) +
                      ", expected " + accuse.expected.brief() + ", found " + accuse.found.brief()};
              parts_.logger.error(failure_->message +
                                  "; the weights come into force before this node ends");
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
            [](Finish&) { return Status(); }},
        action);
  }

  ServiceParts parts_;
  const std::atomic<bool>& stop_;
  compression::Layout layout_;
  std::uint64_t saved_;
  SteadyClock clock_;
  Mailbox<Input> inputs_;
  Validator core_;
  protocol::AnchorWatch anchors_;
  WeightSetter setter_;                          // used on the ledger's thread only
  std::uint64_t final_since_ = 0;                // likewise
  std::optional<std::uint64_t> anchored_epoch_;  // likewise
  protocol::Anchor anchored_;                    // likewise
  std::atomic<bool> ledger_busy_{false};
  wire::BlobClientEndpoint blobs_;
  std::atomic<bool> stop_scoring_{false};
  std::optional<Error> failure_;
  bool settled_ = false;
  int losses_awaited_ = 0;          // held-out losses that the worker has yet to measure
  protocol::HeadWatch head_watch_;  // used on the ledger's thread only
  Worker ledger_worker_;
  Worker worker_;  // last: its jobs use the rest
};

}  // namespace

Status run_service(ServiceParts parts, const std::atomic<bool>& stop) {
  const auto layout = state::layout_of(parts.params.model);
  std::vector<float> residual(layout.parameters(), 0.0f);
  std::uint64_t saved = 0;
  if (std::filesystem::exists(parts.state_file)) {
    MUSTER_TRY(auto state, state::read_checkpoint(parts.state_file, layout));
    ByteReader note(state.note);
    saved = note.read<std::uint64_t>();
    if (!note.finished())
      return Error{Errc::kMalformed, parts.state_file.string() + ": not a validator's state"};
    MUSTER_TRY_STATUS(parts.probe->set_parameters(state.theta));
    residual = std::move(state.downlink_residual);
  }
  return Service(std::move(parts), std::move(residual), saved, stop).run();
}

}  // namespace muster::verify
