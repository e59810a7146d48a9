// What a validator measures: of the round sealed last, and now and then in the place of another
// validator.
#include "base/limits.h"
#include "protocol/beacon.h"
#include "verify/draws.h"
#include "verify/validator.h"

namespace muster::verify {

Result<Scored> measure(protocol::LossProbe& probe, const Score& score,
                       const std::atomic<bool>& stop) {
  Scored scored{score.task.round, {}, {}};
  if (score.review) {
    MUSTER_TRY(const auto review, verify::score(probe, *score.review, stop));
    if (!review.empty()) scored.review = review.front();
  }
  MUSTER_TRY(scored.measurements, verify::score(probe, score.task, stop));
  return scored;
}

// The round sealed last, in drawn order.
void Validator::ask_scores() {
  if (!last_ || scoring_ != Scoring::kNone || last_->payloads.empty()) return;
  if (last_->facts.round < evaluated_) return;
  std::vector<Measurable> miners;
  const RatingBook book = book_.current();
  for (const auto& [uid, payload] : last_->payloads) miners.push_back(book.measurable(uid));
  const Secret unknown =
      protocol::round_secret(key_, head().position().run_id, "muster/review", last_->facts.round);
  last_->review = reviews_.draw(unknown, last_->late_beacon, last_->peers, miners);
  Score score{{},
              scores_of(last_->secret, measuring_order(last_->secret, last_->late_beacon, miners))};
  if (last_->review)
    score.review = scores_of(last_->review->peer.secret, std::span(&last_->review->miner, 1));
  last_->payloads.clear();
  scoring_ = Scoring::kRunning;
  actions_.push_back(std::move(score));
}

// What the validator with this secret draws of these miners.
ScoreTask Validator::scores_of(const Secret& secret, std::span<const Uid> miners) const {
  const Hash& run_id = head().position().run_id;
  ScoreTask task = score_task(params_, run_id, last_->facts.round, last_->open, secret,
                              last_->late_beacon, last_->aggregate);
  for (const Uid uid : miners) {
    const auto used = last_->sequences_used.find(uid);
    const auto weight = last_->weights.find(uid);
    task.items.push_back({uid, last_->payloads.at(uid),
                          own_draw(params_, run_id, last_->open, secret, last_->late_beacon, uid,
                                   used == last_->sequences_used.end() ? 0 : used->second),
                          weight == last_->weights.end() ? 0 : weight->second});
  }
  return task;
}

Actions Validator::on_scored(const Scored& scored, const std::string& platform_class, TimeMs now) {
  scoring_ = Scoring::kNone;
  platform_class_ = platform_class;
  if (!last_ || last_->facts.round != scored.round) return {};  // overtaken by the network
  if (scored.review && last_->review)
    reviews_.measured(last_->review->peer.hotkey, evaluation_of(scored.round, *scored.review),
                      platform_class);
  finalise(scored.measurements);
  advance(now);
  return take_actions();
}

void Validator::finalise(const std::vector<Measurement>& measurements) {
  if (last_->facts.round < evaluated_) return;
  auto evaluations = evaluate(params_.verification, last_->facts, measurements);
  if (evaluations_.size() + evaluations.size() > limits::kEvaluationsMax)
    return actions_.push_back(
        Note{"no screen of this validator has been sealed for so long that it "
             "evaluates nobody until one is"});
  note_evaluated(evaluations);
  evaluations_.insert(evaluations_.end(), evaluations.begin(), evaluations.end());
  actions_.push_back(Rated{last_->facts.round, std::move(evaluations)});
}

void Validator::stop_scoring() {
  if (scoring_ != Scoring::kRunning) return;
  scoring_ = Scoring::kStopping;
  actions_.push_back(StopScoring{});
}

void Validator::note_reviews(const std::vector<protocol::Review>& reviews) {
  for (const protocol::Review& review : reviews)
    if (review.contradicts)
      actions_.push_back(Note{"validator " + review.validator.brief() + " evaluated uid " +
                              std::to_string(review.miner.value) + " in round " +
                              std::to_string(review.round.value) +
                              " otherwise than this one measured: its scores are made up, or one "
                              "of the two machines is faulty"});
}

}  // namespace muster::verify
