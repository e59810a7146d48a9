// A Learner whose θ, gradient and moments lie on a card; a step asks nothing of the host.
//
// Thread safety: as learner.h.
#pragma once

#include "trainer/card/device.h"
#include "trainer/run/learner.h"

namespace muster::trainer {

// θ starts as `theta`. Errors: those of make_card_model.
[[nodiscard]] Result<std::unique_ptr<Learner>> make_card_learner(std::shared_ptr<gpu::Card> card,
                                                                 const CardTask& task,
                                                                 std::span<const float> theta);

// One step on a card's model, and the guard's word on it: what the card was told beforehand to
// refuse is what the guard refuses. `steps`, of the optimizer, counts the step if it is applied.
// Error: kIo.
[[nodiscard]] Result<LearnerStep> guarded_card_step(gpu::Model& model,
                                                    std::span<const std::int32_t> tokens,
                                                    double learning_rate, double clip,
                                                    LossGuard& guard, std::uint64_t& steps,
                                                    const gpu::SharedBatch& batch = {});

}  // namespace muster::trainer
