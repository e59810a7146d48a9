// A RoundEngine on a graphics card: alone, or as one of the ranks of a miner, each on a card of its
// own.
//
// θ, its working copy, gradient, moments, error feedback and Δ lie on the card, and nothing dense
// leaves it but to be saved. What is selected of Δ is coded by the host. Among ranks each card has
// its range of them (ShardPlan). Thread safety: as round_engine.h.
#pragma once

#include "base/collective.h"
#include "trainer/card/device.h"
#include "trainer/rounds/round_engine.h"
#include "trainer/trainer.h"

namespace muster::trainer {

// A card's place among ranks, twice: for arrays in its memory, and for numbers of the host's.
struct CardRank {
  std::shared_ptr<Collective> of_cards;
  Collective* of_hosts = nullptr;  // outlives the engine. Null: the card is alone
};

// Joins the ranks' cards to one group. Errors: those of Cards::make_group_id and Card::join,
// kClosed.
[[nodiscard]] Result<CardRank> join_cards(const gpu::Cards& cards, gpu::Card& card,
                                          Collective& of_hosts);

// Errors: those of make_card_model.
[[nodiscard]] Result<std::unique_ptr<RoundEngine>> make_card_engine(const TrainerConfig& config,
                                                                    std::shared_ptr<gpu::Card> card,
                                                                    CardRank rank = {});

}  // namespace muster::trainer
