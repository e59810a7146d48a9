#include "verify/validator.h"

#include <algorithm>
#include <cmath>

#include "base/limits.h"
#include "base/printable.h"
#include "protocol/assessment.h"
#include "protocol/beacon.h"
#include "protocol/sealed_payload.h"
#include "state/state_root.h"
#include "verify/draws.h"

namespace muster::verify {

using protocol::MessageType;
using protocol::OutcomeCode;

Validator::Validator(const protocol::ProtocolParams& params, const SigningKey& key,
                     const Config& config, std::vector<float> downlink_residual)
    : params_(params),
      layout_(state::layout_of(params.model)),
      key_(key),
      config_(config),
      follower_(params, protocol::run_id_of(params), Role::kValidator),
      residual_(std::make_shared<const std::vector<float>>(std::move(downlink_residual))),
      downlink_root_(state::parameters_root(layout_, *residual_)),
      patience_(config.retry_ms),
      sitting_out_(config.restored) {}

Actions Validator::take_actions() { return std::exchange(actions_, {}); }

const protocol::RosterEntry* Validator::own_entry() const {
  return follower_.open() ? find_in_roster(follower_.open()->message, key_.public_key()) : nullptr;
}

protocol::Secret Validator::secret_for(Round round) const {
  return protocol::validator_secret(key_, head().position().run_id, round);
}

bool Validator::is_active() const {
  return protocol::is_promised(head(), key_.public_key(), secret_for(head().round()));
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
    if (is_a(envelope, MessageType::kAssessment)) {
      MUSTER_TRY(assessment_, protocol::read_body<protocol::Assessment>(envelope));
      evaluations_ = assessment_->evaluations;
      note_evaluated(evaluations_);
      return {};
    }
    if (!is_a(envelope, MessageType::kScreen)) return {};
    MUSTER_TRY(const protocol::Screen screen, protocol::read_body<protocol::Screen>(envelope));
    if (envelope.round == head().round())
      for (const auto& entry : screen.entries) verdicts_[entry.uid] = entry.verdict;
    if (envelope.round >= signed_.round)
      signed_ = {envelope.round, Bytes(message.begin(), message.end())};
    return {};
  }
  // Kept as proof. What is on its way is sent again all the same: the coordinator may have lost
  // what it acknowledged.
  if (is_a(envelope, MessageType::kReceipt)) return {};
  if (!in_state) {
    if (!is_a(envelope, MessageType::kManifest)) follower_.set_aside(message);
    return {};
  }
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
  patience_.heard(now);
  follower_.file_what_was_set_aside();
  persist_news();
  sitting_out_.start(follower_);
  send_ready(now);
  advance(now);
  return take_actions();
}

// ---- inputs

Actions Validator::on_message(ByteSpan message, TimeMs now) {
  patience_.heard(now);
  if (follower_.take(message)) patience_.satisfied(now);
  persist_news();
  if (auto refusal = follower_.take_refusal())
    actions_.push_back(Note{"the coordinator refuses this validator: " + printable(*refusal)});
  if (follower_.fork())
    accuse(protocol::DisputeReason::kForkedClose, wire::message_hash(follower_.fork()->first),
           wire::message_hash(follower_.fork()->second),
           {follower_.fork()->first, follower_.fork()->second});
  if (const auto phase = follower_.take_resume()) hand_back(*phase);
  advance(now);
  ask_for_what_was_missed(now);
  finish_run();
  return take_actions();
}

// A message of a later round, or a manifest without its round's opening, shows that something is
// missing.
void Validator::ask_for_what_was_missed(TimeMs now) {
  const bool lacks_messages =
      follower_.manifest() &&
      !(follower_.open() && follower_.commits_closed() && follower_.reveals_closed());
  const bool busy =
      progress_.applying || !progress_.fetching.empty() || adopting_ || joining_.under_way();
  if (!(follower_.is_behind() || lacks_messages) || busy || finished_) return;
  if (patience_.may_ask(now)) send_ready(now);
}

Actions Validator::on_blob(const Hash& id, Bytes blob, TimeMs now) {
  patience_.satisfied(now);
  if (joining_.wanted() == id) {
    take_checkpoint(blob, now);
    return take_actions();
  }
  if (follower_.manifest() && follower_.manifest()->message.record_id == id) take_record(blob);
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

Actions Validator::on_applied(Round next, const Hash& theta_root, TimeMs now) {
  if (next != head().round().next() || !progress_.applying) return {};
  theta_root_ = theta_root;
  remember_round();
  follower_.advance();
  progress_ = Progress{};
  patience_.next_round();
  send_attest();
  send_ready(now);
  return take_actions();
}

Actions Validator::on_tick(TimeMs now) {
  advance(now);
  if (!finished_ && !progress_.applying && !adopting_ && patience_.is_over(now)) {
    send_ready(now);
    if (auto complaint = patience_.complaint(now, head().round()))
      actions_.push_back(Note{std::move(*complaint)});
    if (const auto checkpoint = joining_.wanted()) actions_.push_back(Fetch{*checkpoint});
    for (const Hash& id : progress_.fetching) actions_.push_back(Fetch{id});
    if (progress_.record_asked && !progress_.record && follower_.manifest())
      actions_.push_back(Fetch{follower_.manifest()->message.record_id});
    if (own_screen() != nullptr && !follower_.manifest()) actions_.push_back(Send{*own_screen()});
    if (theta_root_ != Hash{} && follower_.seen() == protocol::Phase::kGather &&
        head().round().value > 0)
      send_attest();
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
  if (sitting_out_.take(follower_))
    actions_.push_back(Note{"restored from a copy: sits out round " +
                            std::to_string(head().round().value) +
                            ", which it may have screened already"});
  ask_members();
  const bool takes_part = own_entry() != nullptr && !follower_.manifest() &&
                          signed_.round <= head().round() && !sitting_out_.holds(head().round());
  if (takes_part) {
    if (is_active() && !progress_.gradient_asked) ask_gradient();
    ask_scores();
  }
  if (follower_.commits_closed() && !progress_.commits) read_close();
  if (progress_.commits && follower_.reveals_closed() && !progress_.accused) {
    if (!progress_.keys_out) progress_.keys_out = now;
    open_what_is_there();
    // Whose payload has not come by half of the phase is not judged: nobody holds up the judgement
    // of others.
    const auto patience = TimeMs{follower_.open()->message.screen_ms / 2};
    if (takes_part && (progress_.payloads_ready || now - *progress_.keys_out >= patience))
      screen_when_ready(now);
  }
  if (follower_.manifest()) verify_and_apply();
}

const Bytes* Validator::own_screen() const {
  return signed_.round == head().round() && signed_.bytes ? &*signed_.bytes : nullptr;
}

// Of the round that is open now: of one that is replayed the ledger may no longer have the block.
void Validator::ask_members() {
  if (follower_.manifest() || std::exchange(progress_.members_asked, true)) return;
  actions_.push_back(AskMembers{head().round(), protocol::roster_block(follower_.open()->message)});
}

Actions Validator::on_members(Round round, const Result<protocol::LedgerView>& members) {
  if (round != head().round() || !follower_.open()) return {};
  const auto& open = follower_.open()->message;
  if (!members || members->block != open.ledger_block) {
    const std::string why = members
                                ? "the ledger answers for block " + std::to_string(members->block)
                                : members.error().message;
    actions_.push_back(Note{"the roster of round " + std::to_string(round.value) +
                            " is not compared with block " + std::to_string(open.ledger_block) +
                            " of the ledger: " + why});
  } else if (const auto lie = protocol::find_lie(open, *members)) {
    actions_.push_back(Note{"the roster of round " + std::to_string(round.value) +
                            " is not the ledger's: " + lie->what});
    accuse(protocol::DisputeReason::kRoster, lie->expected, lie->found, {follower_.open()->bytes});
  }
  return take_actions();
}

void Validator::ask_gradient() {
  progress_.gradient_asked = true;
  actions_.push_back(ComputeGradient{
      head().round(), screening_draw(params_, head().position().run_id, follower_.open()->message,
                                     secret_for(head().round()))});
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

// Opens the payloads whose blobs have come. REQUIRES: the keys are out.
void Validator::open_what_is_there() {
  if (progress_.payloads_ready) return;
  if (!progress_.reveals) {
    auto reveals = protocol::read_reveals(head().position(), follower_.open()->message,
                                          *progress_.commits, follower_.reveals_closed()->message);
    if (!reveals)
      return accuse(protocol::DisputeReason::kForkedClose, Hash{}, Hash{},
                    {follower_.reveals_closed()->bytes});
    progress_.reveals = std::move(*reveals);
  }
  const protocol::RoundContext context{params_, layout_, head().position(), head().norm_max(),
                                       config_.threads};
  const auto take_blob = [this](const Hash& id) -> Result<Bytes> {
    auto blob = progress_.blobs.extract(id);
    if (blob.empty()) return Error{Errc::kNotFound, "payload " + id.hex()};
    return std::move(blob.mapped());
  };
  for (const auto& [uid, commit] : *progress_.commits) {
    if (progress_.opened.contains(uid)) continue;
    const auto reveal = progress_.reveals->find(uid);
    auto opened = protocol::open_payload_of(
        context, commit, reveal == progress_.reveals->end() ? nullptr : &reveal->second, take_blob);
    if (!opened) continue;
    if (opened->code == OutcomeCode::kAccepted)
      progress_.payloads[uid] = std::make_shared<const compression::DecodedPayload>(
          compression::decode_parts(layout_, opened->payload, config_.threads).value());
    progress_.opened[uid] = std::move(*opened);
  }
  progress_.payloads_ready = progress_.opened.size() == progress_.commits->size();
}

void Validator::take_record(ByteSpan blob) {
  auto record = protocol::decode_record(blob);
  if (record) {
    progress_.record = std::move(*record);
  } else {
    accuse(protocol::DisputeReason::kAggregate, Hash{}, follower_.manifest()->message.record_id,
           {follower_.manifest()->bytes});
  }
}

Result<protocol::SealedRound> Validator::seal_again(std::vector<float>& residual) const {
  const protocol::SealRecord& record = *progress_.record;
  const auto arrivals = protocol::arrivals_of(record);
  const protocol::SealInputs inputs{
      {params_, layout_, head().position(), head().norm_max(), config_.threads},
      head(),
      follower_.open()->message,
      wire::message_hash(follower_.open()->bytes),
      wire::message_hash(follower_.reveals_closed()->bytes),
      follower_.commits_closed()->message.commit_root,
      progress_.opened,
      arrivals,
      record.screens,
      record.evidence};
  return protocol::seal(inputs, residual);
}

void Validator::verify_and_apply() {
  if (progress_.applying || progress_.accused || !progress_.payloads_ready) return;
  if (!progress_.record) {
    if (!progress_.record_asked) actions_.push_back(Fetch{follower_.manifest()->message.record_id});
    progress_.record_asked = true;
    return;
  }
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
    accuse(protocol::DisputeReason::kAggregate, sealed ? sealed->manifest.aggregate_id : Hash{},
           follower_.manifest()->message.aggregate_id,
           {follower_.open()->bytes, follower_.commits_closed()->bytes,
            follower_.reveals_closed()->bytes, follower_.manifest()->bytes});
    return;
  }
  progress_.applying = true;
  residual_ = residual;
  downlink_root_ = state::parameters_root(layout_, *residual_);
  const bool null_round = sealed->manifest.null_round;
  last_aggregate_ =
      null_round ? nullptr
                 : std::make_shared<const compression::SparseUpdate>(
                       compression::decode(layout_, sealed->aggregate, config_.threads).value());
  keep_own_sealed_screen();
  actions_.push_back(Persist{head().round(), follower_.manifest()->bytes});
  actions_.push_back(Apply{head().round().next(), last_aggregate_, residual_});
}

// A validator that lost its folder finds what it signed in the records, and so its ratings again.
void Validator::keep_own_sealed_screen() {
  for (const Bytes& bytes : progress_.record->screens) {
    const auto envelope = wire::reread_envelope(bytes);
    if (!envelope || envelope->sender != key_.public_key()) continue;
    if (signed_.bytes && head().round() <= signed_.round) return;  // the journal has it
    const auto screen = protocol::read_body<protocol::Screen>(*envelope).value();
    if (auto sealed = protocol::open_copy(key_, head().position().run_id, head().round(), screen)) {
      note_evaluated(sealed->evaluations);
      actions_.push_back(Persist{head().round(), sign(*sealed)});
      assessment_ = *std::move(sealed);
    } else {
      // With what it sealed it has lost which rounds before this one it has evaluated.
      evaluated_ = std::max(evaluated_, head().round());
    }
    std::erase_if(evaluations_,
                  [&](const auto& evaluation) { return evaluation.round < evaluated_; });
    signed_ = {head().round(), bytes};
    actions_.push_back(Persist{head().round(), bytes});
  }
}

void Validator::note_evaluated(const std::vector<protocol::Evaluation>& evaluations) {
  if (!evaluations.empty()) evaluated_ = std::max(evaluated_, evaluations.back().round.next());
}

void Validator::accuse(protocol::DisputeReason reason, const Hash& expected, const Hash& found,
                       std::vector<Bytes> proof) {
  if (progress_.accused) return;
  progress_.accused = true;
  Bytes dispute = sign(protocol::Dispute{reason, expected, found, proof});
  disputes_ = protocol::extend(disputes_, dispute);
  actions_.push_back(Send{std::move(dispute)});
  actions_.push_back(Accuse{reason, expected, found, std::move(proof)});
}

// Keeps what scoring needs of the round that is being left.
void Validator::remember_round() {
  LastRound last;
  last.open = follower_.open()->message;
  last.late_beacon = late_beacon(follower_.manifest()->message);
  last.secret = secret_for(head().round());
  last.secret_was_promised = is_active();
  last.facts = facts_of(follower_.manifest()->message, last.open, head());
  last.facts.verdicts = verdicts_;
  take_sealed_screen();
  if (progress_.record) {
    for (PeerScreen& screen :
         peer_screens(head(), last.open, progress_.record->screens, key_.public_key())) {
      for (const protocol::Assessment& opened : screen.opened)
        note_reviews(reviews_.take_opened(screen.peer.hotkey, opened));
      last.peers.push_back(std::move(screen.peer));
    }
  }
  last.facts.missing = book_.current().missing_from(last.open.roster);
  book_.take_roster(head().round(), last.open.roster);
  opened_.take_roster(head().round(), last.open.roster);
  const auto& manifest = follower_.manifest()->message;
  const bool is_new = progress_.record.has_value();  // not read again from the journal
  if (const auto* screen =
          own_entry() == nullptr ? nullptr : find_screen(manifest, own_entry()->uid);
      is_new && screen != nullptr && head().withholds(key_.public_key(), *screen))
    actions_.push_back(Note{
        "this validator could not open what it had sealed, and it does not find it in its Screens: "
        "it "
        "has no vote for " +
        std::to_string(protocol::kVoteLostRounds) + " rounds, if others have most of the stake"});
  if (is_new && own_entry() != nullptr &&
      std::ranges::count(manifest.contradictions, own_entry()->uid, &protocol::Contradiction::of) >
          0)
    actions_.push_back(Note{
        "another validator measured otherwise what this one had evaluated: if more than half of "
        "the others' "
        "stake says so, this validator has no vote; `muster audit --rescore` tells who is right"});
  last.aggregate = last_aggregate_;
  if (progress_.record)
    for (const auto& outcome : progress_.record->outcomes)
      last.weights[outcome.uid] = outcome.weight;
  if (last.secret_was_promised && !manifest.null_round && manifest.most_revealed)
    last.payloads = std::move(progress_.payloads);
  std::erase_if(last.payloads,
                [&](const auto& item) { return !may_be_measured(last.facts, item.first); });
  stop_scoring();
  if (progress_.commits) {
    for (const auto& [uid, commit] : *progress_.commits)
      last.sequences_used[uid] = commit.message.sequences_used;
  }
  verdicts_.clear();
  last_ = std::move(last);
}

// Only what a sealed Screen has the hash of is in the book, in that order: as for whoever reads the
// records later.
void Validator::take_sealed_screen() {
  const Bytes* screen = own_screen();
  if (screen == nullptr || own_entry() == nullptr) return;
  if (find_screen(follower_.manifest()->message, own_entry()->uid) == nullptr) {
    ByteWriter round;
    round.write(head().round().value);
    left_out_ = protocol::extend(left_out_, round.bytes());
    return;
  }
  const auto sent =
      protocol::read_body<protocol::Screen>(wire::open_envelope(*screen).value()).value();
  for (const protocol::Assessment& opened : sent.opened) {
    book_.take(opened);  // known, unless this node lost its folder
    opened_.take(opened.evaluations);
    note_evaluated(opened.evaluations);
    std::erase_if(unopened_,
                  [&](const auto& assessment) { return assessment.round == opened.round; });
  }
  reviews_.said(sent.reviews);
  if (!assessment_ || assessment_->round != head().round()) return;
  keep_sealed(*std::exchange(assessment_, {}));
  const bool is_open = !sent.opened.empty() && sent.opened.back().round == unopened_.back().round;
  if (is_open) unopened_.pop_back();
}

void Validator::keep_sealed(protocol::Assessment assessment) {
  book_.take(assessment);
  std::erase_if(evaluations_, [&](const auto& evaluation) {
    return std::ranges::find(assessment.evaluations, evaluation) != assessment.evaluations.end();
  });
  unopened_.push_back(std::move(assessment));
}

std::optional<protocol::Anchor> Validator::anchor() const {
  if (head().round() == Round{0}) return std::nullopt;
  const protocol::Position& at = head().position();
  return protocol::Anchor{at.run_id, Round{at.round.value - 1}, at.parent, left_out_, disputes_};
}

RatingBook Validator::book() const {
  RatingBook book = book_.current();
  book.take(evaluations_);
  return book;
}

void Validator::send_ready(TimeMs now) {
  patience_.satisfied(now);
  const auto promise = [this](Round round) {
    return protocol::secret_hash(head().position().run_id, round, key_.public_key(),
                                 secret_for(round));
  };
  const Round next = head().round().next();
  actions_.push_back(Send{sign(protocol::Ready{Role::kValidator,
                                               head().state_id(),
                                               theta_root_,
                                               {promise(next), promise(next.next())},
                                               follower_.seen(),
                                               joining_.takes_checkpoint(head().round()),
                                               ledger_head_})});
}

void Validator::send_attest() {
  protocol::Attest attest = protocol::attest_of(head(), theta_root_, downlink_root_);
  attest.ledger_head = ledger_head_;
  actions_.push_back(Send{sign(attest)});
}

}  // namespace muster::verify
