// A validator's own Screen: when it is sent, and what stands in it.
#include <algorithm>

#include "base/limits.h"
#include "protocol/assessment.h"
#include "verify/quantise.h"
#include "verify/validator.h"

namespace muster::verify {

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

// As many of what is due as one Screen may open, in order.
std::vector<protocol::Assessment> Validator::due_assessments(
    const protocol::Assessment& own) const {
  std::vector<protocol::Assessment> due;
  std::size_t evaluations = 0;
  auto open = [&](const protocol::Assessment& assessment) {
    evaluations += assessment.evaluations.size();
    const bool is_due = protocol::opened_in(params_, assessment.round) <= head().round();
    if (!is_due || due.size() == limits::kOpenedMax || evaluations > limits::kEvaluationsMax)
      return false;
    due.push_back(assessment);
    return true;
  };
  if (std::ranges::all_of(unopened_, open)) open(own);
  return due;
}

void Validator::send_screen() {
  const bool active = is_active();
  const Hash& run_id = head().position().run_id;
  protocol::Assessment own{head().round(),
                           protocol::assessment_salt(key_, run_id, head().round()),
                           evaluations_,
                           {},
                           platform_class_};
  const auto weight_of = book().weights();
  for (const auto& [uid, commit] : *progress_.commits) {
    const auto weight = weight_of.find(commit.sender);
    own.weights.push_back({uid, weight == weight_of.end() ? std::uint16_t{0} : weight->second});
  }
  protocol::Screen message;
  message.assessment = protocol::assessment_hash(run_id, key_.public_key(), own);
  message.opened = due_assessments(own);
  message.sealed_copy = protocol::seal_copy(key_, run_id, own);
  message.reviews = reviews_.due();
  RatingBook shown = opened_;
  for (const protocol::Assessment& opened : message.opened) shown.take(opened.evaluations);
  const auto standing_of = shown.standings();
  const auto counts_for = head().weights(follower_.open()->message);
  std::vector<Candidate> candidates;
  // What came after the cosines were measured is not judged.
  for (const auto& [uid, payload] : progress_.payloads) {
    if (!active || !progress_.cosines->contains(uid)) continue;
    candidates.push_back({uid, &payload->whole, progress_.cosines->at(uid), counts_for.at(uid),
                          compression::norm(payload->fresh)});
  }
  verdicts_.clear();
  if (active) {
    auto screening = screen(params_.verification, candidates, last_aggregate_.get());
    verdicts_ = std::move(screening.verdicts);
    if (!screening.alike.empty())
      actions_.push_back(Note{
          "round " + std::to_string(head().round().value) + ": " +
          std::to_string(screening.alike.size()) + " of " + std::to_string(candidates.size()) +
          " payloads resemble the last aggregate, and hold most of the weight: none "
          "is rejected for that; the model is small for its density, or the data is all alike"});
  }

  message.commit_root = follower_.commits_closed()->message.commit_root;
  message.secret = secret_for(head().round());
  for (const auto& [uid, commit] : *progress_.commits) {
    protocol::ScreenEntry entry;
    entry.uid = uid;
    entry.held = progress_.opened.contains(uid);
    const auto verdict = verdicts_.find(uid);
    entry.verdict = verdict == verdicts_.end() ? protocol::Verdict::kAbstain : verdict->second;
    if (active && progress_.cosines->contains(uid))
      entry.cosine_e4 = quantise<std::int16_t>(progress_.cosines->at(uid), 1e4);
    const auto rated = standing_of.find(commit.sender);
    const auto standing = rated == standing_of.end() ? protocol::Standing{} : rated->second;
    entry.standing = standing.value;
    entry.proven = standing.proven;
    message.entries.push_back(entry);
  }
  actions_.push_back(Persist{head().round(), sign(own)});
  assessment_ = std::move(own);
  signed_ = {head().round(), sign(message)};
  actions_.push_back(Persist{signed_.round, *signed_.bytes});
  actions_.push_back(Send{*signed_.bytes});
}

}  // namespace muster::verify
