#include "verify/validator.h"

#include <algorithm>
#include <cmath>

#include "base/limits.h"
#include "protocol/attestation.h"
#include "protocol/beacon.h"
#include "protocol/sealed_payload.h"
#include "state/state_root.h"
#include "verify/draws.h"
#include "verify/quantise.h"

namespace muster::verify {

using protocol::MessageType;
using protocol::OutcomeCode;

Validator::Validator(const protocol::ProtocolParams& params, const SigningKey& key,
                     const Config& config, std::vector<float> downlink_residual)
    : params_(params),
      layout_(state::layout_of(params.model)),
      key_(key),
      config_(config),
      follower_(params, protocol::run_id_of(params)),
      residual_(std::make_shared<const std::vector<float>>(std::move(downlink_residual))),
      downlink_root_(state::parameters_root(layout_, *residual_)) {}

Actions Validator::take_actions() { return std::exchange(actions_, {}); }

const protocol::RosterEntry* Validator::own_entry() const {
  return follower_.open() ? find_in_roster(follower_.open()->message, key_.public_key()) : nullptr;
}

protocol::Secret Validator::secret_for(Round round) const {
  return protocol::validator_secret(key_, head().position().run_id, round);
}

bool Validator::is_active() const {
  const auto promised = head().secret_hash_of(key_.public_key());
  return promised && *promised == protocol::secret_hash(head().position().run_id, head().round(),
                                                        key_.public_key(),
                                                        secret_for(head().round()));
}

// ---- recovery

Status Validator::recover(ByteSpan message, bool in_state) {
  MUSTER_TRY(const wire::Envelope envelope, wire::open_envelope(message));
  if (envelope.sender == key_.public_key()) {
    if (is_a(envelope, MessageType::kJoined) && in_state) {
      MUSTER_TRY(const auto joined, protocol::read_body<protocol::Joined>(envelope));
      MUSTER_TRY(const auto head, wire::decode<protocol::HeadState>(joined.head, "chain head"));
      MUSTER_TRY_STATUS(validate(head));
      move_to(head);
    }
    if (!is_a(envelope, MessageType::kScreen)) return {};
    MUSTER_TRY(const protocol::Screen screen, protocol::read_body<protocol::Screen>(envelope));
    for (const auto& evaluation : screen.evaluations) book_.take(evaluation);
    evaluations_ = screen.evaluations;
    if (envelope.round == head().round())
      for (const auto& entry : screen.entries) verdicts_[entry.uid] = entry.verdict;
    if (envelope.round >= signed_.round)
      signed_ = {envelope.round, Bytes(message.begin(), message.end())};
    return {};
  }
  if (!in_state) return {};
  MUSTER_TRY_STATUS(follower_.take(message));
  if (follower_.manifest() && follower_.open()) {
    remember_round();
    last_->payloads.clear();
    follower_.advance();
    progress_ = Progress{};
  }
  return {};
}

Actions Validator::start(const Hash& theta_root, TimeMs now) {
  theta_root_ = theta_root;
  send_ready(now);
  return take_actions();
}

// ---- inputs

Actions Validator::on_message(ByteSpan message, TimeMs now) {
  if (follower_.take(message)) last_heard_ = now;
  if (follower_.fork())
    accuse(protocol::DisputeReason::kForkedClose, wire::message_hash(follower_.fork()->first),
           wire::message_hash(follower_.fork()->second),
           {follower_.fork()->first, follower_.fork()->second});
  advance(now);
  finish_run();
  return take_actions();
}

Actions Validator::on_blob(const Hash& id, Bytes blob, TimeMs now) {
  last_heard_ = now;
  if (joining_.wanted() == id) {
    take_checkpoint(blob, now);
    return take_actions();
  }
  if (progress_.fetching.erase(id) > 0) progress_.blobs[id] = std::move(blob);
  advance(now);
  return take_actions();
}

Actions Validator::on_gradient(Round round, TimeMs now) {
  if (round == head().round()) progress_.gradient_done = true;
  advance(now);
  return take_actions();
}

Actions Validator::on_cosines(Round round, const std::map<Uid, double>& cosines, TimeMs now) {
  if (round == head().round()) progress_.cosines = cosines;
  advance(now);
  return take_actions();
}

Actions Validator::on_scored(Round round, const std::vector<Measurement>& measurements,
                             const std::string& platform_class, TimeMs now) {
  scoring_ = Scoring::kNone;
  platform_class_ = platform_class;
  if (!last_ || last_->facts.round != round) return {};  // overtaken by the network
  finalise(measurements);
  advance(now);
  return take_actions();
}

Actions Validator::on_applied(Round next, const Hash& theta_root, TimeMs now) {
  if (next != head().round().next() || !progress_.applying) return {};
  theta_root_ = theta_root;
  remember_round();
  follower_.advance();
  progress_ = Progress{};
  actions_.push_back(Send{sign(protocol::attest_of(head(), theta_root_, downlink_root_))});
  send_ready(now);
  return take_actions();
}

Actions Validator::on_tick(TimeMs now) {
  advance(now);
  if (!finished_ && !progress_.applying && !adopting_ &&
      now - last_heard_ >= static_cast<TimeMs>(config_.retry_ms)) {
    send_ready(now);
    if (const auto checkpoint = joining_.wanted()) actions_.push_back(Fetch{*checkpoint});
    for (const Hash& id : progress_.fetching) actions_.push_back(Fetch{id});
    if (own_screen() != nullptr && !follower_.manifest()) actions_.push_back(Send{*own_screen()});
    if (theta_root_ != Hash{} && follower_.seen() == protocol::Phase::kGather &&
        head().round().value > 0)
      actions_.push_back(Send{sign(protocol::attest_of(head(), theta_root_, downlink_root_))});
  }
  return take_actions();
}

std::optional<TimeMs> Validator::next_deadline() const {
  if (scoring_ != Scoring::kRunning || !progress_.keys_out) return std::nullopt;
  return *progress_.keys_out + config_.score_wait_ms;
}

// ---- the round

void Validator::advance(TimeMs now) {
  consider_offer();
  if (!follower_.open() || finished_ || progress_.applying || joining_.under_way() || adopting_)
    return;
  check_own_state();
  if (adopting_) return;
  const bool takes_part = own_entry() != nullptr && !follower_.manifest() &&
                          signed_.round <= head().round();
  if (takes_part) {
    if (is_active() && !progress_.gradient_asked) ask_gradient();
    ask_scores();
  }
  if (follower_.commits_closed() && !progress_.commits) read_close();
  if (progress_.commits && follower_.reveals_closed() && open_all()) {
    if (!progress_.keys_out) progress_.keys_out = now;
    if (takes_part) screen_when_ready(now);
  }
  if (follower_.manifest()) verify_and_apply();
}

void Validator::stop_scoring() {
  if (scoring_ != Scoring::kRunning) return;
  scoring_ = Scoring::kStopping;
  actions_.push_back(StopScoring{});
}

const Bytes* Validator::own_screen() const {
  return signed_.round == head().round() && signed_.bytes ? &*signed_.bytes : nullptr;
}

void Validator::ask_gradient() {
  progress_.gradient_asked = true;
  actions_.push_back(ComputeGradient{
      head().round(), screening_draw(params_, head().position().run_id, follower_.open()->message,
                                     secret_for(head().round()))});
}

// The round sealed last, the most uncertain miners first.
void Validator::ask_scores() {
  if (!last_ || scoring_ != Scoring::kNone || last_->payloads.empty()) return;
  const Hash& run_id = head().position().run_id;
  ScoreTask task;
  task.round = last_->facts.round;
  task.probe_step = params_.verification.probe_step * params_.compression.outer_learning_rate;
  task.shared_sequences =
      shared_draw(params_, run_id, last_->open, last_->secret, last_->commit_root);
  for (const auto& [uid, payload] : last_->payloads) {
    task.items.push_back({uid, payload,
                          own_draw(params_, run_id, last_->open, last_->secret,
                                   last_->commit_root, uid, last_->sequences_used[uid])});
  }
  auto uncertainty = [&](Uid uid) {
    const Rating* rating = book_.find(uid);
    return (rating == nullptr ? Rating() : *rating).uncertainty(task.round);
  };
  std::stable_sort(task.items.begin(), task.items.end(), [&](const auto& a, const auto& b) {
    return uncertainty(a.uid) > uncertainty(b.uid);
  });
  last_->payloads.clear();
  scoring_ = Scoring::kRunning;
  actions_.push_back(Score{std::move(task)});
}

// Checks the close and asks for the payloads that it lists.
void Validator::read_close() {
  auto commits = protocol::read_commits(head().position(), follower_.open()->message,
                                        follower_.commits_closed()->message);
  if (!commits) {
    return accuse(protocol::DisputeReason::kForkedClose, Hash{}, Hash{},
                  {follower_.commits_closed()->bytes});
  }
  for (const auto& [uid, commit] : *commits) {
    const Hash& id = commit.message.payload_id;
    if (progress_.fetching.insert(id).second) actions_.push_back(Fetch{id});
  }
  progress_.commits = std::move(*commits);
}

// Opens all payloads once blobs and keys are there. True when they are open.
bool Validator::open_all() {
  if (progress_.payloads_ready) return true;
  if (!progress_.fetching.empty() || progress_.accused) return false;
  const auto& open = follower_.open()->message;
  const protocol::RoundContext context{params_, layout_, head().position(), config_.threads};
  auto reveals = protocol::read_reveals(head().position(), open, *progress_.commits,
                                        follower_.reveals_closed()->message);
  if (!reveals) {
    accuse(protocol::DisputeReason::kForkedClose, Hash{}, Hash{},
           {follower_.reveals_closed()->bytes});
    return false;
  }
  auto opened = protocol::open_payloads(context, *progress_.commits, *reveals,
                                        [this](const Hash& id) -> Result<Bytes> {
                                          const auto found = progress_.blobs.find(id);
                                          if (found == progress_.blobs.end())
                                            return Error{Errc::kNotFound, "payload " + id.hex()};
                                          return found->second;
                                        });
  if (!opened) return false;
  progress_.opened = std::move(*opened);
  for (const auto& [uid, payload] : progress_.opened) {
    if (payload.code == OutcomeCode::kAccepted)
      progress_.payloads[uid] =
          std::make_shared<const compression::SparseUpdate>(
              compression::decode(layout_, payload.payload, config_.threads).value());
  }
  progress_.payloads_ready = true;
  return true;
}

void Validator::screen_when_ready(TimeMs now) {
  if (own_screen() != nullptr) return;
  const bool active = is_active();
  if (active && !progress_.gradient_done) return;
  if (now - *progress_.keys_out >= static_cast<TimeMs>(config_.score_wait_ms)) stop_scoring();
  if (active && !progress_.cosines_asked) {
    progress_.cosines_asked = true;
    MeasureCosines measure{head().round(), {}};
    for (const auto& [uid, payload] : progress_.payloads)
      measure.items.push_back({uid, payload, {}});
    actions_.push_back(std::move(measure));
  }
  if ((active && !progress_.cosines) || scoring_ != Scoring::kNone) return;
  send_screen();
}

void Validator::send_screen() {
  const bool active = is_active();
  const auto standing_of = standings(book_.ratings());
  const auto weight_of = weights(book_.ratings());
  std::vector<Candidate> candidates;
  for (const auto& [uid, payload] : progress_.payloads) {
    const double cosine = active ? progress_.cosines->at(uid) : 0;
    candidates.push_back({uid, payload.get(), cosine});
  }
  verdicts_.clear();
  if (active)
    verdicts_ = screen(params_.verification, params_.uplink_format(head().round()).keep,
                       candidates, previous_payloads_, last_aggregate_.get());

  protocol::Screen message;
  message.commit_root = follower_.commits_closed()->message.commit_root;
  message.secret = secret_for(head().round());
  message.platform_class = platform_class_;
  for (const auto& [uid, opened] : progress_.opened) {
    protocol::ScreenEntry entry;
    entry.uid = uid;
    entry.held = true;
    const auto verdict = verdicts_.find(uid);
    entry.verdict = verdict == verdicts_.end() ? protocol::Verdict::kAbstain : verdict->second;
    if (active && progress_.cosines->contains(uid))
      entry.cosine_e4 = quantise<std::int16_t>(progress_.cosines->at(uid), 1e4);
    const auto* member = find_in_roster(follower_.open()->message, uid);
    const auto standing = standing_of.find(member->hotkey);
    entry.standing =
        standing == standing_of.end() ? protocol::kNewcomerStanding : standing->second;
    const auto weight = weight_of.find(member->hotkey);
    entry.weight = weight == weight_of.end() ? std::uint16_t{0} : weight->second;
    message.entries.push_back(entry);
  }
  message.evaluations = evaluations_;
  signed_ = {head().round(), sign(message)};
  actions_.push_back(Persist{signed_.round, *signed_.bytes});
  actions_.push_back(Send{*signed_.bytes});
}

Result<protocol::SealedRound> Validator::seal_again(std::vector<float>& residual) const {
  const auto& manifest = follower_.manifest()->message;
  std::map<Uid, std::uint32_t> arrivals;
  for (const auto& outcome : manifest.outcomes) arrivals[outcome.uid] = outcome.arrival_ms;
  const protocol::SealInputs inputs{{params_, layout_, head().position(), config_.threads},
                                    head(),
                                    follower_.open()->message,
                                    wire::message_hash(follower_.open()->bytes),
                                    wire::message_hash(follower_.reveals_closed()->bytes),
                                    follower_.commits_closed()->message.commit_root,
                                    progress_.opened,
                                    arrivals,
                                    manifest.screens,
                                    manifest.evidence};
  return protocol::seal(inputs, residual);
}

void Validator::verify_and_apply() {
  if (progress_.applying || progress_.accused || !progress_.payloads_ready) return;
  auto residual = std::make_shared<std::vector<float>>(*residual_);
  auto sealed = seal_again(*residual);
  const Bytes& manifest = follower_.manifest()->bytes;
  if (doubted_ && doubted_->round == head().round() && doubted_->bytes != manifest) {
    return accuse(protocol::DisputeReason::kForkedClose, wire::message_hash(doubted_->bytes),
                  wire::message_hash(manifest), {doubted_->bytes, manifest});
  }
  if (!sealed || wire::encode(sealed->manifest) != wire::encode(follower_.manifest()->message)) {
    if (!started_over_) {
      doubted_ = {head().round(), manifest};
      return start_over("the manifest does not follow from the payloads and this node's state");
    }
    accuse(protocol::DisputeReason::kAggregate,
           sealed ? sealed->manifest.aggregate_id : Hash{},
           follower_.manifest()->message.aggregate_id,
           {follower_.open()->bytes, follower_.commits_closed()->bytes,
            follower_.reveals_closed()->bytes, follower_.manifest()->bytes});
    return;
  }
  progress_.applying = true;
  residual_ = residual;
  downlink_root_ = state::parameters_root(layout_, *residual_);
  const bool null_round = sealed->manifest.null_round;
  last_aggregate_ = null_round ? nullptr
                               : std::make_shared<const compression::SparseUpdate>(
                                     compression::decode(layout_, sealed->aggregate, config_.threads).value());
  actions_.push_back(Persist{head().round(), follower_.open()->bytes});
  actions_.push_back(Persist{head().round(), follower_.manifest()->bytes});
  actions_.push_back(Apply{head().round().next(), last_aggregate_, residual_});
}

void Validator::accuse(protocol::DisputeReason reason, const Hash& expected, const Hash& found,
                       std::vector<Bytes> proof) {
  if (progress_.accused) return;
  progress_.accused = true;
  actions_.push_back(Send{sign(protocol::Dispute{reason, expected, found, proof})});
  actions_.push_back(Accuse{reason, expected, found, std::move(proof)});
}

// Keeps what scoring needs of the round that is being left.
void Validator::remember_round() {
  LastRound last;
  last.open = follower_.open()->message;
  last.commit_root = follower_.manifest()->message.commit_root;
  last.secret = secret_for(head().round());
  last.secret_was_promised = is_active();
  last.facts = {head().round(), {}, verdicts_, book_.missing_from(last.open.roster)};
  for (const auto& outcome : follower_.manifest()->message.outcomes)
    last.facts.outcomes[outcome.uid] = outcome.code;
  book_.take_roster(head().round(), last.open.roster);
  drop_sealed_evaluations();
  previous_payloads_.clear();
  for (const auto& [uid, payload] : progress_.payloads) previous_payloads_.push_back(payload);
  if (last.secret_was_promised && !follower_.manifest()->message.null_round)
    last.payloads = std::move(progress_.payloads);
  std::erase_if(last.payloads, [&](const auto& item) {
    return basis_of(last.facts.outcomes.at(item.first)) != protocol::Basis::kMeasured;
  });
  stop_scoring();
  if (progress_.commits) {
    for (const auto& [uid, commit] : *progress_.commits)
      last.sequences_used[uid] = commit.message.sequences_used;
  }
  verdicts_.clear();
  last_ = std::move(last);
}

void Validator::drop_sealed_evaluations() {
  const Bytes* screen = own_screen();
  const auto& sealed = follower_.manifest()->message.screens;
  if (screen == nullptr || std::ranges::find(sealed, *screen) == sealed.end()) return;
  const auto sent = protocol::read_body<protocol::Screen>(wire::open_envelope(*screen).value()).value();
  std::erase_if(evaluations_, [&](const auto& evaluation) {
    return std::ranges::find(sent.evaluations, evaluation) != sent.evaluations.end();
  });
}

void Validator::finalise(const std::vector<Measurement>& measurements) {
  auto evaluations = evaluate(params_.verification, last_->facts, measurements);
  if (evaluations_.size() + evaluations.size() > limits::kEvaluationsMax)
    return actions_.push_back(Note{"no screen of this validator has been sealed for so long that it "
                                   "evaluates nobody until one is"});
  for (const auto& evaluation : evaluations) book_.take(evaluation);
  evaluations_.insert(evaluations_.end(), evaluations.begin(), evaluations.end());
  actions_.push_back(Rated{last_->facts.round, std::move(evaluations)});
}

void Validator::send_ready(TimeMs now) {
  last_heard_ = now;
  const Round next = head().round().next();
  const Hash promise = protocol::secret_hash(head().position().run_id, next, key_.public_key(),
                                             secret_for(next));
  actions_.push_back(Send{sign(protocol::Ready{Role::kValidator, head().state_id(), theta_root_,
                                               promise, follower_.seen(),
                                               joining_.takes_checkpoint()})});
}

}  // namespace muster::verify
