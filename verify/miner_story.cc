// What MinerStory collects.
#include <algorithm>

#include "verify/explanation.h"

namespace muster::verify {

// The miner in this roster; a uid that changed hands begins a new story.
const protocol::RosterEntry* MinerStory::find(const protocol::RoundOpen& open) {
  const protocol::RosterEntry* found = nullptr;
  for (const auto& entry : open.roster) {
    if (entry.role != Role::kMiner) continue;
    const bool is_it = selector_.uid ? entry.uid == *selector_.uid
                                     : entry.hotkey.hex().starts_with(selector_.hotkey_prefix);
    if (!is_it) continue;
    if (found != nullptr || (!selector_.uid && content_ && content_->hotkey != entry.hotkey))
      ambiguous_ = true;
    found = &entry;
  }
  return found;
}

Status MinerStory::take(const AuditedRound& round, AuditReport&) {
  const Round number = round.position.round;
  const auto* entry = find(round.open);
  if (entry != nullptr && (!content_ || content_->hotkey != entry->hotkey)) {
    content_.emplace();
    content_->hotkey = entry->hotkey;
    content_->first = number;
  }
  if (!content_) return {};
  if (entry != nullptr) content_->uid = entry->uid;
  add_evaluations(round);
  content_->last = number;
  MinerRound told;
  told.round = number;
  told.clip_norm = round.manifest.clip_norm;
  for (const auto& outcome : round.record.outcomes) {
    if (entry == nullptr || outcome.uid != entry->uid) continue;
    told.outcome = outcome.code;
    told.norm = outcome.norm;
    told.weight = static_cast<double>(outcome.weight);
    told.standing = outcome.standing;
    told.arrival_ms = outcome.arrival_ms;
  }
  told.outcome ? ++content_->outcomes[*told.outcome] : ++content_->absent;
  for (const AuditedScreen& screen : round.screens) {
    RoundVoice voice{screen.uid, {}, 0, {}};
    for (const auto& judged : screen.screen.entries) {
      if (entry == nullptr || judged.uid != entry->uid || !judged.held) continue;
      voice.verdict = judged.verdict;
      voice.cosine = judged.cosine_e4 / 1e4;
    }
    told.voices.push_back(voice);
  }
  if (wanted_ == number) content_->wanted = told;
  content_->recent.push_back(std::move(told));
  if (content_->recent.size() > kRoundsKept) content_->recent.pop_front();
  return {};
}

// Evaluations are opened in later rounds than the one that they are about.
void MinerStory::add_evaluations(const AuditedRound& round) {
  auto add = [](MinerRound& told, Uid validator, const protocol::Evaluation& evaluation) {
    auto voice = std::find_if(told.voices.begin(), told.voices.end(), [&](const RoundVoice& known) {
      return known.validator == validator;
    });
    if (voice == told.voices.end())
      voice = told.voices.insert(voice, RoundVoice{validator, {}, 0, {}});
    if (!voice->evaluation) voice->evaluation = evaluation;
  };
  for (const AuditedScreen& screen : round.screens) {
    for (const auto& opened : screen.screen.opened) {
      for (const auto& evaluation : opened.evaluations) {
        if (evaluation.uid != content_->uid) continue;
        for (MinerRound& told : content_->recent)
          if (told.round == evaluation.round) add(told, screen.uid, evaluation);
        if (content_->wanted && content_->wanted->round == evaluation.round)
          add(*content_->wanted, screen.uid, evaluation);
      }
    }
  }
}

Result<MinerStory::Content> MinerStory::content() const {
  if (ambiguous_)
    return Error{Errc::kInvalidArgument,
                 "several hotkeys begin with " + selector_.hotkey_prefix + "; give more of it"};
  if (content_) return *content_;
  const std::string who = selector_.uid ? "uid " + std::to_string(selector_.uid->value)
                                        : "hotkey that begins with " + selector_.hotkey_prefix;
  return Error{Errc::kNotFound, "no miner with " + who + " was in any sealed round's roster"};
}

}  // namespace muster::verify
