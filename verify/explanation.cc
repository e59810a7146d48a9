#include "verify/explanation.h"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>

#include "base/median.h"
#include "verify/evaluation.h"

namespace muster::verify {

using protocol::Basis;
using protocol::OutcomeCode;

namespace {

[[gnu::format(printf, 1, 2)]] std::string format(const char* pattern, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, pattern);
  std::vsnprintf(text, sizeof(text), pattern, arguments);
  va_end(arguments);
  return text;
}

constexpr double kFullShare = 0.95,
                 kUnpaidShare = 0.40;  // of the best miners' work, as Yardstick::earned() pays
constexpr double kWeakShare = 0.8;     // of what the parts are worth together

std::string plural(std::uint64_t count, const char* noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string validator_name(Uid uid) { return "validator uid " + std::to_string(uid.value); }

// ---- the numbers

ValidatorView view_of(const PublicKey& hotkey, const ScoreAudit::Validator& validator,
                      const PublicKey& miner) {
  ValidatorView view;
  view.validator = validator.uid;
  view.hotkey = hotkey;
  const RatingBook book = validator.book();
  const Ratings& ratings = book.ratings();
  const Yardstick yardstick = book.yardstick();
  view.miners = ratings.size();
  const auto weight_of = book.weights();
  const auto standing_of = validator.opened.standings();
  view.sealed = validator.unopened.size();
  std::vector<double> others;
  for (const auto& [other, rating] : ratings)
    if (other != miner && rating.evaluations() >= kEvaluationsBeforePay)
      others.push_back(rating.mean());
  view.others_mean = median(std::move(others));
  const auto rating = ratings.find(miner);
  if (rating == ratings.end()) return view;
  view.evaluations = rating->second.evaluations();
  view.mean = rating->second.mean();
  view.lower_bound = rating->second.lower_bound();
  view.presence = rating->second.presence();
  view.gate_failed = rating->second.gate_failed();
  view.is_useless = yardstick.is_useless(rating->second);
  view.share = yardstick.share(rating->second);
  view.earned = yardstick.earned(rating->second);
  view.weakest_share = view.share;
  for (std::size_t part = 0; part < rating->second.parts().size() && view.share > 0; ++part) {
    const double share = yardstick.part_share(rating->second, part);
    if (part > 0 && share >= view.weakest_share) continue;
    view.weakest_share = share;
    view.weakest_part = part;
  }
  view.weight = weight_of.at(miner);
  if (const auto standing = standing_of.find(miner); standing != standing_of.end())
    view.standing = standing->second.value;
  view.rank = 1 + static_cast<std::size_t>(
                      std::count_if(weight_of.begin(), weight_of.end(),
                                    [&](const auto& item) { return item.second > view.weight; }));
  return view;
}

// ---- the words

std::string story_line(const MinerStory::Content& miner) {
  const std::uint64_t rounds = miner.last.value - miner.first.value + 1;
  std::string line =
      "In " + plural(rounds, "round") + " since round " + std::to_string(miner.first.value) + ": ";
  bool first = true;
  for (const auto& [code, count] : miner.outcomes) {
    line += (first ? "" : ", ") + std::to_string(count) + " " + std::string(name_of(code));
    first = false;
  }
  if (miner.absent > 0)
    line += std::string(first ? "" : ", ") + std::to_string(miner.absent) + " not in the roster";
  return line + ".";
}

std::string evaluation_words(const protocol::Evaluation& evaluation) {
  if (evaluation.basis == Basis::kUnmeasured)
    return "did not draw it, or had no time to measure it";
  if (evaluation.basis == Basis::kAbsent) return "counts it as absent";
  if (evaluation.basis == Basis::kFault)
    return "counts it as the worst score (−0.4), since it broke the protocol";
  if (evaluation.basis == Basis::kRejected)
    return "counts it as the worst score (−0.4), since its screen rejected the payload";
  return "measured a score of " + scores_text(evaluation.scores) +
         format(" and a loss drop of %.4f ± %.4f: gate %s", evaluation.drop_e6 / 1e6,
                evaluation.drop_error_e6 / 1e6, evaluation.gate_passed ? "passed" : "failed");
}

std::string outcome_words(const MinerRound& round) {
  const std::string number = "Round " + std::to_string(round.round.value) + ": ";
  if (!round.outcome)
    return number + "not in the roster: the coordinator had no Ready from it when the round opened";
  std::string words = number + std::string(name_of(*round.outcome));
  if (*round.outcome == OutcomeCode::kAccepted) {
    words += format(", weight %.4f in the aggregate (standing %u of 65535", round.weight,
                    round.standing);
    if (round.norm > round.clip_norm && round.norm > 0)
      words += format("; its norm %.3g was clipped to %.3g", round.norm, round.clip_norm);
    words += format(", arrived after %.1f s)", round.arrival_ms / 1000.0);
  } else if (*round.outcome == OutcomeCode::kMissed) {
    words += ": no complete commit in time";
  }
  return words;
}

std::vector<std::string> round_lines(const MinerRound& round, std::optional<Uid> validator) {
  std::vector<std::string> lines{outcome_words(round) + "."};
  for (const RoundVoice& voice : round.voices) {
    if (validator && voice.validator != *validator) continue;
    std::string line = "  " + validator_name(voice.validator) + ": ";
    line += voice.verdict ? format("%s (cosine %.3f)", std::string(name_of(*voice.verdict)).c_str(),
                                   voice.cosine)
                          : std::string("no verdict");
    if (voice.evaluation) line += "; " + evaluation_words(*voice.evaluation);
    lines.push_back(line + ".");
  }
  return lines;
}

// "round 3", "rounds 4 to 9 and 12".
std::string rounds_words(const std::vector<Round>& rounds) {
  std::vector<std::string> runs;
  for (std::size_t first = 0; first < rounds.size();) {
    std::size_t last = first;
    while (last + 1 < rounds.size() && rounds[last + 1] == rounds[last].next()) ++last;
    runs.push_back(std::to_string(rounds[first].value) +
                   (last == first ? ""
                                  : (last == first + 1 ? " and " : " to ") +
                                        std::to_string(rounds[last].value)));
    first = last + 1;
  }
  std::string words = rounds.size() == 1 ? "round " : "rounds ";
  for (std::size_t i = 0; i < runs.size(); ++i)
    words += (i == 0 ? "" : i + 1 == runs.size() ? " and " : ", ") + runs[i];
  return words;
}

// What was not accepted among the rounds that are still known, and why.
std::vector<std::string> refusal_lines(const MinerStory::Content& miner) {
  std::map<std::string, std::vector<Round>> rounds;
  for (const MinerRound& round : miner.recent) {
    if (!round.outcome)
      rounds["Not in the roster (no Ready when the round opened)"].push_back(round.round);
    if (round.outcome == OutcomeCode::kMissed)
      rounds["Missed (no complete commit in time)"].push_back(round.round);
    if (round.outcome && *round.outcome != OutcomeCode::kAccepted &&
        *round.outcome != OutcomeCode::kRejected && *round.outcome != OutcomeCode::kMissed)
      rounds["Broke the protocol (" + std::string(name_of(*round.outcome)) + ")"].push_back(
          round.round);
    for (const RoundVoice& voice : round.voices)
      if (voice.verdict && protocol::is_rejection(*voice.verdict))
        rounds["Rejected by " + validator_name(voice.validator) + " (" +
               std::string(name_of(*voice.verdict)) + ")"]
            .push_back(round.round);
  }
  std::vector<std::string> lines;
  const bool earlier_ones = miner.first < miner.recent.front().round;
  const std::string of =
      earlier_ones ? " of the last " + plural(miner.recent.size(), "round") + "." : ".";
  for (const auto& [what, in] : rounds) lines.push_back(what + " in " + rounds_words(in) + of);
  return lines;
}

std::string rating_line(const ValidatorView& view) {
  const std::string sealed =
      view.sealed == 0 ? ""
                       : "; what " + plural(view.sealed, "Screen") + " found last is still sealed";
  if (view.evaluations == 0) return "has measured nothing of it yet" + sealed;
  return format(
             "%s measured: score %.3f ± %.3f (the others' median is %.3f), %.0f %% of the best "
             "miners' work, presence %.0f %%: "
             "weight %u of 65535, rank %zu of %zu, standing %u",
             plural(view.evaluations, "evaluation").c_str(), view.mean,
             view.mean - view.lower_bound, view.others_mean, 100 * view.share, 100 * view.presence,
             view.weight, view.rank, view.miners, view.standing) +
         sealed;
}

// The last evaluation by this validator that is a failed gate, if it is the last measured one.
const protocol::Evaluation* failed_evaluation(const MinerStory::Content& miner, Uid validator) {
  const protocol::Evaluation* last = nullptr;
  for (const MinerRound& round : miner.recent)
    for (const RoundVoice& voice : round.voices)
      if (voice.validator == validator && voice.evaluation &&
          voice.evaluation->basis != Basis::kUnmeasured &&
          voice.evaluation->basis != Basis::kAbsent)
        last = &*voice.evaluation;
  return last != nullptr && !last->gate_passed ? last : nullptr;
}

std::string part_name(std::size_t part) {
  return part < kQuarters ? "quarter " + std::to_string(part + 1) + " of the positions"
                          : "tensor group " + std::to_string(part - kQuarters);
}

std::string missed_words(const MinerStory::Content& miner, const ValidatorView& view) {
  const auto missed = static_cast<std::uint64_t>(
      std::count_if(miner.recent.begin(), miner.recent.end(), [](const MinerRound& round) {
        return !round.outcome || *round.outcome == OutcomeCode::kMissed;
      }));
  return "it missed " + std::to_string(missed) + " of the last " +
         plural(miner.recent.size(), "round") +
         format(", which costs %.0f %% of its weight: be there every round",
                100 * (1 - view.presence));
}

std::string failed_gate_words(const MinerStory::Content& miner, const ValidatorView& view) {
  const auto* failed = failed_evaluation(miner, view.validator);
  const std::string until =
      ": it counts as a score of -0.4, and nothing of it enters the aggregate until a measured "
      "payload passes again";
  if (failed == nullptr) return "its last measured payload failed the gate" + until;
  const std::string in = " in round " + std::to_string(failed->round.value);
  if (failed->basis == Basis::kFault) {
    for (const MinerRound& round : miner.recent)
      if (round.round == failed->round && round.outcome)
        return "it broke the protocol" + in + " (" + std::string(name_of(*round.outcome)) + ")" +
               until;
    return "it broke the protocol" + in + until;
  }
  for (const MinerRound& round : miner.recent)
    for (const RoundVoice& voice : round.voices)
      if (round.round == failed->round && voice.validator == view.validator && voice.verdict &&
          protocol::is_rejection(*voice.verdict))
        return "its payload" + in + " was rejected as " + std::string(name_of(*voice.verdict)) +
               until;
  return format("its payload%s lowered the loss by %.4f only, too little beside the others'%s",
                in.c_str(), failed->drop_e6 / 1e6, until.c_str());
}

}  // namespace

std::vector<std::string> advice(const MinerStory::Content& miner, const ValidatorView& view) {
  std::vector<std::string> lines;
  if (view.gate_failed) lines.push_back(failed_gate_words(miner, view));
  if (view.evaluations < kEvaluationsBeforePay)
    lines.push_back(plural(kEvaluationsBeforePay - view.evaluations, "more evaluation") +
                    " until it can be paid");
  if (view.evaluations > 0 && view.is_useless)
    lines.push_back(
        "its payloads lower the loss by less than half of what the others' do: nothing is paid for "
        "that");
  if (view.evaluations > 0 && !view.gate_failed && view.share < kFullShare) {
    if (view.mean < view.others_mean / 5) {
      lines.push_back(
          format("its score is %.3f where the others have %.3f: its payloads look as if it did not "
                 "train on the "
                 "sequences that it was assigned, from the current θ",
                 view.mean, view.others_mean));
    } else if (view.weakest_share < kWeakShare * view.share) {
      lines.push_back("its weakest part is " + part_name(view.weakest_part) +
                      format(", with %.0f %% of the best miners': the weakest parts decide, so "
                             "every sequence must be "
                             "trained on at all of its positions, with all of the model",
                             100 * view.weakest_share));
    } else {
      lines.push_back(format(
          "its score is %.3f where the others have %.3f: more of what it sends must come from the "
          "sequences that it was assigned",
          view.mean, view.others_mean));
    }
    if (view.share <= kUnpaidShare)
      lines.push_back("nothing is paid up to 40 % of the best miners' work");
  }
  if (view.presence < 0.995) lines.push_back(missed_words(miner, view));
  if (lines.empty())
    lines.push_back(view.rank == 1
                        ? "nothing: it has the best weight there is"
                        : "a higher score: it is paid in full measure, others have a little more");
  return lines;
}

namespace {

std::vector<std::string> lines_of(const Explanation& explanation, std::optional<Uid> validator,
                                  const MinerRound* only) {
  const auto& miner = explanation.miner;
  std::vector<std::string> lines{"Miner uid " + std::to_string(miner.uid.value) + ", hotkey " +
                                 miner.hotkey.hex() + "."};
  if (only != nullptr) {
    for (auto& line : round_lines(*only, validator)) lines.push_back(std::move(line));
    return lines;
  }
  lines.push_back(story_line(miner));
  for (auto& line : refusal_lines(miner)) lines.push_back(std::move(line));
  for (const ValidatorView& view : explanation.views) {
    lines.push_back("V" + validator_name(view.validator).substr(1) + ": " + rating_line(view) +
                    ".");
    for (const std::string& line : advice(miner, view))
      lines.push_back("  What would raise it: " + line + ".");
  }
  return lines;
}

}  // namespace

Result<Explanation> explain(const MinerStory& story, const ScoreAudit& scores,
                            std::optional<Uid> validator, std::optional<Round> round) {
  Explanation explanation;
  MUSTER_TRY(explanation.miner, story.content());
  for (const auto& [hotkey, known] : scores.validators())
    if (!validator || known.uid == *validator)
      explanation.views.push_back(view_of(hotkey, known, explanation.miner.hotkey));
  std::sort(explanation.views.begin(), explanation.views.end(),
            [](const auto& a, const auto& b) { return a.validator < b.validator; });
  if (validator && explanation.views.empty())
    return Error{Errc::kNotFound, "no validator has uid " + std::to_string(validator->value)};
  const MinerRound* only = nullptr;
  if (round) {
    for (const MinerRound& told : explanation.miner.recent)
      if (told.round == *round) only = &told;
    if (explanation.miner.wanted && explanation.miner.wanted->round == *round)
      only = &*explanation.miner.wanted;
    if (only == nullptr)
      return Error{Errc::kNotFound, "round " + std::to_string(round->value) +
                                        " is none of those since the miner came, " +
                                        std::to_string(explanation.miner.first.value) + " to " +
                                        std::to_string(explanation.miner.last.value)};
  }
  explanation.lines = lines_of(explanation, validator, only);
  return explanation;
}

}  // namespace muster::verify
