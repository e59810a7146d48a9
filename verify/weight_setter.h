// WeightSetter: brings a validator's weights onto the ledger: commit in one epoch, reveal in the
// next.
//
// A value with one step per metagraph seen; the caller submits. Thread safety: none; one owner.
#pragma once

#include <optional>
#include <variant>

#include "protocol/ledger_client.h"
#include "verify/rating.h"

namespace muster::verify {

class WeightSetter {
 public:
  // Salts are bound to the ledger and the subnet, so that a key that is used on two never shows on
  // one what hides its weights on the other.
  WeightSetter(const SigningKey& key, const Hash& ledger_genesis, std::uint16_t netuid)
      : key_(key), ledger_genesis_(ledger_genesis), netuid_(netuid) {}

  struct Commit {
    protocol::WeightVector vector;
  };
  struct Reveal {
    protocol::WeightVector vector;
  };
  using Step = std::variant<std::monostate, Commit, Reveal>;

  // What to submit now, given the ledger's last block and the weights by hotkey. Weights of hotkeys
  // that are not miners of the ledger are left out; nothing is committed while all are zero.
  [[nodiscard]] Step next(const protocol::Metagraph& metagraph,
                          const std::map<PublicKey, std::uint16_t>& weights);
  // Call when the step's submission was accepted.
  void submitted(const Step& step);
  // The vector revealed last, and since which block it counts.
  [[nodiscard]] const std::optional<protocol::WeightVector>& in_force() const { return in_force_; }

 private:
  [[nodiscard]] protocol::WeightVector vector_for(
      const protocol::Metagraph& metagraph,
      const std::map<PublicKey, std::uint16_t>& weights) const;
  SigningKey key_;
  Hash ledger_genesis_;
  std::uint16_t netuid_;
  std::optional<protocol::WeightVector> committed_;
  std::uint64_t committed_epoch_ = 0;
  std::optional<protocol::WeightVector> proposed_;  // of the Commit handed out last
  std::uint64_t proposed_epoch_ = 0;
  std::optional<protocol::WeightVector> in_force_;
};

}  // namespace muster::verify
