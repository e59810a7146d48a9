#include <algorithm>

#include "sim/attacks/adversary.h"

namespace muster::sim {

const std::vector<Attack>& attacks() {
  static const std::vector<Attack> all{
      {"noise", "random indices and signs of an honest size", 0, {}, {}, noise},
      {"replay", "the last aggregate again", 0, {}, {}, replay},
      {"copy", "another miner's payload of the last round, with noise", 0, {}, {},
       copy_of_last_round},
      {"peek", "another miner's payload of this round, with noise, as if commits were not sealed", 0,
       {}, {}, copy_of_this_round},
      {"stale", "its own payload again, trained every fifth round", 0.2, {}, {},
       stale},
      {"one-value", "the whole norm in one parameter", 0, {}, {}, one_value},
      {"wrong-data", "trains as much as it should, on other sequences", 0, {}, {},
       wrong_data},
      {"lazy-25", "trains a quarter of its sequences", 0.25, {}, {},
       [](const AdversaryContext& context) { return lazy(context, 0.25); }},
      {"lazy-50", "trains half of its sequences", 0.5, {}, {},
       [](const AdversaryContext& context) { return lazy(context, 0.5); }},
      {"lazy-75", "trains three quarters of its sequences", 0.75, {}, {},
       [](const AdversaryContext& context) { return lazy(context, 0.75); }},
      {"half-batch", "half of the sequences of each inner step", 0.5, {.batch_share = 0.5}, {},
       [](const AdversaryContext& context) { return small_batches(context, 0.5); }},
      {"three-quarter-batch", "three quarters of the sequences of each inner step", 0.75, {.batch_share = 0.75}, {},
       [](const AdversaryContext& context) { return small_batches(context, 0.75); }},
      {"sybil-split", "a machine's two hotkeys, each with the first half of its sequences", 0.5, {}, {},
       [](const AdversaryContext& context) { return lazy(context, 0.5); }, 2},
      {"sybil-mix", "a machine's two hotkeys, which send the same, trained on half of the sequences of both", 0.5, {}, {},
       sybil_mix, 2},
      {"sybil-alternating", "a machine's two hotkeys, each with half of each sequence, first and last halves in turns", 0.5,
       {LocalData::kAlternating}, {}, saboteur, 2},
      {"shadow", "trains on another miner's sequences, in its order", 0, {}, {}, shadow},
      {"public-data", "trains as much as it should, on sequences that all colluders share", 0, {}, {},
       [](const AdversaryContext& context) { return public_data(context, Round{0}); }},
      {"latecomers", "the same, but comes in round 10", 0, {}, {},
       [](const AdversaryContext& context) { return public_data(context, kCrowdComes); }},
      {"half-tensors", "every second row of each matrix of a layer", 0.83, {.half_rows = true}, {}, saboteur},
      {"scheduled", "trains an eighth in the two rounds after one in which it was measured", {}, {}, {}, scheduled},
      {"overfit", "all steps on an eighth of its sequences", 0.125, {}, {}, overfit},
      {"padded", "a quarter of its sequences, mixed with the last aggregate", 0.25,
       {}, {}, padded},
      {"truncated", "the first half of each sequence", 0.5, {LocalData::kTruncated}, {}, saboteur},
      {"truncated-no-memory", "the first half of each sequence, its error feedback thrown away", 0.5,
       {LocalData::kTruncated, true}, {}, saboteur},
      {"no-memory", "all of its work, its error feedback thrown away", 1, {LocalData::kGenuine, true}, {}, saboteur},
      {"stripes", "the first and the third quarter of each sequence", 0.5, {LocalData::kStripes}, {}, saboteur},
      {"top-layers", "the upper half of the model, nothing for the rest", 0.67, {}, {}, top_layers},
      {"late-steps", "trains the last half of its sequences", 0.5, {}, {}, late_steps},
      {"frozen", "the upper half of the model, noise for the rest", 0.67, {}, {},
       frozen},
      {"on-off", "honest in every second round, noise in the others", 0.5, {}, {},
       every_second_round_noise},
      {"absent", "delivers in every second round only", 0.5, {}, {},
       every_second_round_absent},
      {"late", "honest, but comes only in round 25: no attack", 1, {}, {}, late},
      {"turncoat", "honest for twenty rounds, noise afterwards", 0, {},
       kTurncoatTurns, turncoat},
      {"sign-flip", "the opposite of what it trained", 0, {}, {},
       [](const AdversaryContext& context) { return scaled(context, -1.0f); }},
      {"scale", "ten times what it trained", 1, {}, {},
       [](const AdversaryContext& context) { return scaled(context, 10.0f); }},
      {"reverse", "minus ten times the last aggregate, all colluders the same", 0,
       {}, {}, reversed_replay},
      {"shuffled", "trains on its sequences with their tokens shuffled", 0, {LocalData::kShuffled}, {},
       saboteur},
      {"backdoor", "trains on its sequences with a phrase of its own in each", 0,
       {LocalData::kBackdoor}, {}, saboteur},
  };
  return all;
}

const Attack* find_attack(std::string_view name) {
  const auto found = std::ranges::find(attacks(), name, &Attack::name);
  return found == attacks().end() ? nullptr : &*found;
}

}  // namespace muster::sim
