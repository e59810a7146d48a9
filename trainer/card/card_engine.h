// A RoundEngine on a graphics card.
//
// θ, its working copy, gradient, moments, error feedback and Δ lie on the card, and nothing dense leaves it but to be
// saved. What is selected of Δ is coded by the host. Thread safety: as round_engine.h.
#pragma once

#include "trainer/card/device.h"
#include "trainer/round_engine.h"
#include "trainer/trainer.h"

namespace muster::trainer {

// Errors: those of make_card_model.
[[nodiscard]] Result<std::unique_ptr<RoundEngine>> make_card_engine(const TrainerConfig& config,
                                                                    std::shared_ptr<gpu::Card> card);

}  // namespace muster::trainer
