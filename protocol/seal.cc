#include "protocol/seal.h"

#include <algorithm>

#include "base/median.h"
#include "compression/segmented_blob.h"
#include "protocol/beacon.h"
#include "protocol/deadlines.h"
#include "protocol/seal_record.h"
#include "protocol/sealed_payload.h"
#include "protocol/tally.h"
#include "state/state_root.h"

namespace muster::protocol {
namespace {

std::set<PublicKey> senders_of(const RoundOpen& open, const std::vector<WeighedScreen>& screens) {
  std::set<PublicKey> senders;
  for (const WeighedScreen& screen : screens)
    senders.insert(find_in_roster(open, screen.validator)->hotkey);
  return senders;
}

std::set<PublicKey> equivocators(const std::vector<Evidence>& evidence) {
  std::set<PublicKey> found;
  for (const Evidence& item : evidence)
    if (proves_equivocation(item)) found.insert(wire::reread_envelope(item.first)->sender);
  return found;
}

// Everybody's outcome before weights: misses, the payloads' own faults, evidence and the tally.
std::vector<Outcome> rule_outcomes(const SealInputs& inputs,
                                   const std::vector<WeighedScreen>& screens) {
  std::map<Uid, Standing> miners;
  for (const RosterEntry& entry : inputs.open.roster)
    if (inputs.payloads.contains(entry.uid))
      miners[entry.uid] = inputs.head.standing_of(entry.hotkey);
  const auto rulings = tally(
      miners, screens, inputs.head.active_weight(inputs.open, senders_of(inputs.open, screens)));
  const auto guilty = equivocators(inputs.evidence);

  std::vector<Outcome> outcomes;
  for (const RosterEntry& entry : inputs.open.roster) {
    if (entry.role != Role::kMiner) continue;
    Outcome outcome;
    Standing standing = inputs.head.standing_of(entry.hotkey);
    outcome.uid = entry.uid;
    if (const auto payload = inputs.payloads.find(entry.uid); payload != inputs.payloads.end()) {
      const Ruling& ruling = rulings.at(entry.uid);
      standing = ruling.standing;
      outcome.code = payload->second.code;
      outcome.payload_id = payload->second.payload_id;
      outcome.norm = payload->second.norm;
      if (outcome.code == OutcomeCode::kAccepted && ruling.rejected)
        outcome.code = OutcomeCode::kRejected;
    }
    outcome.standing = standing.value;
    outcome.proven = standing.proven;
    if (const auto arrival = inputs.arrivals_ms.find(entry.uid);
        arrival != inputs.arrivals_ms.end() && outcome.code != OutcomeCode::kMissed)
      outcome.arrival_ms = arrival->second;
    if (guilty.contains(entry.hotkey)) outcome.code = OutcomeCode::kEquivocated;
    outcomes.push_back(outcome);
  }
  return outcomes;
}

Hash beacon_after(const SealInputs& inputs, const std::vector<WeighedScreen>& screens) {
  std::vector<std::pair<Uid, Secret>> secrets;
  for (const WeighedScreen& screen : screens)
    if (is_promised(inputs.head, find_in_roster(inputs.open, screen.validator)->hotkey,
                    screen.screen.secret))
      secrets.emplace_back(screen.validator, screen.screen.secret);
  return next_beacon(inputs.open.beacon, secrets);
}

// A Screen whose secret is not the promised one counts as an abstention: its draws could have been
// chosen after the payloads were known.
void silence_unpromised(const SealInputs& inputs, std::vector<WeighedScreen>& screens) {
  for (WeighedScreen& screen : screens)
    if (!is_promised(inputs.head, find_in_roster(inputs.open, screen.validator)->hotkey,
                     screen.screen.secret))
      for (ScreenEntry& judged : screen.screen.entries) judged.verdict = Verdict::kAbstain;
}

std::vector<state::Contribution> contributions_of(const SealInputs& inputs,
                                                  const std::vector<Outcome>& outcomes) {
  std::vector<state::Contribution> contributions;
  std::vector<Standing> standings;
  for (const Outcome& outcome : outcomes) {
    if (outcome.code != OutcomeCode::kAccepted) continue;
    contributions.push_back(
        {outcome.standing, &inputs.payloads.at(outcome.uid).payload, outcome.norm});
    standings.push_back({outcome.standing, outcome.proven});
  }
  const auto weights = miner_weights(standings);
  for (std::size_t i = 0; i < weights.size(); ++i) contributions[i].weight = weights[i];
  return contributions;
}

Status clip(const SealInputs& inputs, const std::vector<state::Contribution>& contributions,
            SealedRound& round) {
  MUSTER_TRY(const state::ClippedWeights clipped,
             state::clip_and_weigh(contributions, inputs.head.past_medians()));
  round.manifest.median_norm = clipped.median_norm;
  round.manifest.clip_norm = clipped.clip_norm;
  std::size_t next = 0;
  for (Outcome& outcome : round.record.outcomes)
    if (outcome.code == OutcomeCode::kAccepted) outcome.weight = clipped.weights[next++];
  return {};
}

bool have_most_revealed(const std::vector<Outcome>& outcomes,
                        const std::map<Uid, std::uint64_t>& weights) {
  Share revealed;
  for (const Outcome& outcome : outcomes)
    if (outcome.code != OutcomeCode::kMissed)
      revealed.add(weights.at(outcome.uid), outcome.code != OutcomeCode::kKeyWithheld);
  return revealed.is_most() || revealed.is_of_nobody();
}

// By how much the payloads of `measured_round` lowered the loss: the weighted median over the
// Screens that open it, where those are most.
std::optional<std::int32_t> opened_drop_e6(Round measured_round,
                                           const std::vector<WeighedScreen>& screens,
                                           const std::map<Uid, std::uint64_t>& weights) {
  std::vector<std::int32_t> drops;
  std::vector<std::uint64_t> weight_of;
  Share measured;
  for (const WeighedScreen& screen : screens) {
    if (screen.weight == 0) continue;
    std::vector<Evaluation> evaluations;
    for (const Assessment& opened : screen.screen.opened)
      for (const Evaluation& evaluation : opened.evaluations)
        if (evaluation.round == measured_round) evaluations.push_back(evaluation);
    const auto drop = median_drop_e6(evaluations, weights);
    measured.add(screen.weight, drop.has_value());
    if (!drop) continue;
    drops.push_back(*drop);
    weight_of.push_back(screen.weight);
  }
  if (!measured.is_most()) return std::nullopt;
  return weighted_lower_median<std::int32_t>(drops, weight_of);
}

// Of the youngest round whose evaluations may be open.
std::optional<std::int32_t> due_drop_e6(const SealInputs& inputs,
                                        const std::vector<WeighedScreen>& screens,
                                        const std::map<Uid, std::uint64_t>& weights) {
  const std::uint64_t age = 1 + std::uint64_t{inputs.context.params.verification.sealed_rounds};
  const Round round = inputs.head.round();
  if (round.value < age) return std::nullopt;
  return opened_drop_e6(Round{round.value - age}, screens, weights);
}

// Who contradicts whom, of this round's validators.
std::vector<Contradiction> contradictions_of(const RoundOpen& open,
                                             const std::vector<WeighedScreen>& screens) {
  std::set<Contradiction> found;
  for (const WeighedScreen& screen : screens) {
    for (const Review& review : screen.screen.reviews) {
      const RosterEntry* of = find_in_roster(open, review.validator);
      if (review.contradicts && of != nullptr && of->role == Role::kValidator &&
          of->uid != screen.validator)
        found.insert({screen.validator, of->uid});
    }
  }
  return {found.begin(), found.end()};
}

// What the manifest says of the record, which is complete.
void finish_record(const SealInputs& inputs, const std::map<Uid, std::uint64_t>& weights,
                   SealedRound& round) {
  std::vector<Arrival> arrivals;
  for (const Outcome& outcome : round.record.outcomes) {
    round.manifest.codes.push_back(outcome.code);
    round.manifest.standings.push_back({outcome.standing, outcome.proven});
    if (was_delivered(outcome.code))
      arrivals.push_back({outcome.arrival_ms, weights.at(outcome.uid)});
  }
  round.manifest.tail_ms =
      tail_ms(std::move(arrivals), inputs.context.params.timing.quorum_percent);
  round.manifest.most_revealed = have_most_revealed(round.record.outcomes, weights);
  round.record_blob = encode_record(round.record);
  round.manifest.record_id = compression::blob_id(round.record_blob).value();
}

}  // namespace

Result<SealedRound> rule(const SealInputs& inputs) {
  const auto weights = inputs.head.weights(inputs.open);
  MUSTER_TRY(auto screens,
             read_screens(inputs.context.position, inputs.open, weights, inputs.screens));
  silence_unpromised(inputs, screens);

  SealedRound round;
  round.record = {rule_outcomes(inputs, screens), inputs.screens, inputs.evidence};
  Manifest& manifest = round.manifest;
  manifest.open_hash = inputs.open_hash;
  manifest.reveals_hash = inputs.reveals_hash;
  manifest.commit_root = inputs.commit_root;
  manifest.state_id_before = inputs.head.state_id();
  manifest.state_id_after = manifest.state_id_before;
  manifest.next_beacon = beacon_after(inputs, screens);
  manifest.next_epoch = inputs.open.epoch;
  manifest.next_cursor =
      inputs.open.cursor + miner_count(inputs.open) * inputs.context.params.slice();
  for (const auto& [validator, weight, screen] : screens) {
    const std::uint32_t opened =
        inputs.head.opened_by(find_in_roster(inputs.open, validator)->hotkey, screen);
    manifest.screens.push_back({validator, screen.assessment, opened});
  }
  manifest.median_drop_e6 = due_drop_e6(inputs, screens, weights);
  manifest.contradictions = contradictions_of(inputs.open, screens);

  const auto contributions = contributions_of(inputs, round.record.outcomes);
  manifest.null_round = contributions.size() < inputs.context.params.timing.miners_min;
  if (!manifest.null_round) MUSTER_TRY_STATUS(clip(inputs, contributions, round));
  finish_record(inputs, weights, round);
  return round;
}

Result<SealedRound> seal(const SealInputs& inputs, std::span<float> downlink_residual) {
  MUSTER_TRY(SealedRound round, rule(inputs));
  Manifest& manifest = round.manifest;
  if (manifest.null_round) return round;

  const ProtocolParams& params = inputs.context.params;
  const Position& position = inputs.context.position;
  MUSTER_TRY(state::SealedAggregate sealed,
             state::seal_aggregate(
                 inputs.context.layout, contributions_of(inputs, round.record.outcomes),
                 inputs.head.past_medians(), params.downlink_format(position.round),
                 params.compression.downlink_decay, downlink_residual, inputs.context.threads));
  round.aggregate_blob =
      write_aggregate(position.run_id, position.round, inputs.context.layout, sealed.aggregate);
  manifest.aggregate_id =
      compression::blob_id(round.aggregate_blob, inputs.context.threads).value();
  manifest.state_id_after = state::next_state_id(manifest.state_id_before, manifest.aggregate_id);
  round.aggregate = std::move(sealed.aggregate);
  return round;
}

}  // namespace muster::protocol
