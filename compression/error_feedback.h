// Error feedback: what compression left out of earlier updates, added to the next one.
//
// A payload of two parts has F = compress(Δ) as its fresh part and R = compress(Δ + e − F) as its
// memory part: F does not depend on e, so what is measured on F alone does not depend on what
// became of e. A payload of one part is compress(Δ + e). After a round: e ← β(e + Δ − decoded) when
// the payload was delivered, e ← β(e + Δ) when it was not through no fault of its content, e ← βe
// for a round without an update. Two arrays take turns: one pass over Δ and e turns Δ's array into
// the next e, so nothing is lost before the round is settled, and the multiplication by β waits for
// the next pass. (Seide et al., "1-bit stochastic gradient descent", Interspeech 2014.) Thread
// safety: none; one owner.
#pragma once

#include <span>
#include <vector>

#include "compression/payload.h"

namespace muster::compression {

// Entries of a block's part, ascending indices within the block, and what was there before the part
// was taken away.
struct PartOriginals {
  std::span<const std::uint16_t> indices;
  std::span<const float> values;
};
// Appends both parts' entries by ascending index, counted from `offset`. The memory part was taken
// from what the fresh part had left, so where both have an entry the fresh part's original is e +
// Δ.
void append_originals(std::uint64_t offset, const PartOriginals& fresh, const PartOriginals& memory,
                      std::vector<std::uint64_t>& indices, std::vector<float>& originals);

class ErrorFeedback {
 public:
  // e, and room for Δ, both the caller's, so that they may be mapped files. REQUIRES: equal sizes.
  ErrorFeedback(std::span<float> residual, std::span<float> delta)
      : residual_(residual), delta_(delta) {}

  // Where Δ is to be written before compress(). Changes places with e when a payload is settled.
  [[nodiscard]] std::span<float> delta() { return delta_; }

  // The payload of Δ and e; what it leaves behind takes Δ's place. Once for one Δ; a payload that
  // is not settled is forgotten. Errors: those of compression::compress; e is as it was.
  [[nodiscard]] Result<Payload> compress(const Layout& layout, const PayloadFormat& format,
                                         unsigned threads = 1);
  [[nodiscard]] bool is_pending() const { return pending_; }

  // REQUIRES: is_pending().
  void settle_delivered(float beta);
  void settle_kept(float beta);
  // No payload was made, or it does not count.
  void settle_missed(float beta);

  // e as it is now; what is owed is multiplied in.
  [[nodiscard]] std::span<const float> residual();

  // What must be kept, besides residual() and, while pending, delta(), to go on after a restart.
  struct State {
    bool pending = false;
    std::vector<std::uint64_t> indices;  // of the pending payload's parts together, ascending
    std::vector<float> originals;        // e + Δ there; delta() holds e + Δ − decoded
  };
  [[nodiscard]] State state() const;
  // With residual() and delta() filled again. REQUIRES: indices within them.
  void restore(State state);

 private:
  void pay_beta();
  void take_turns(float beta);

  std::span<float> residual_, delta_;
  float owed_beta_ = 1;  // e is this times the array
  bool pending_ = false;
  struct Kept {
    std::vector<std::uint64_t> indices;
    std::vector<float> originals;
  };
  std::vector<Kept> kept_;  // of each segment of the pending payload
};

}  // namespace muster::compression
