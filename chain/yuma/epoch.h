// One Yuma epoch of one mechanism of a subnet: stakes and weights in, incentives, dividends,
// emissions and bonds out.
//
// Who validates what is decided by the permits of the epoch before; this one's permits are an
// output. Lists are indexed by uid. Source: subtensor: epoch/run_epoch.rs (epoch_mechanism, the
// sparse path).
// Thread safety: pure function of plain values. Cost: linear in the weights and bonds, n log n in
// neurons; under 2 ms for 256 neurons with 64 validators that all weigh everyone.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "chain/fixed/sparse.h"
#include "chain/yuma/liquid_alpha.h"

namespace muster::chain {

inline constexpr std::uint64_t kNoCommit = std::numeric_limits<std::uint64_t>::max();

// A subnet's hyperparameters that the epoch reads.
struct EpochParameters {
  std::uint16_t tempo = 360;
  std::uint64_t activity_cutoff_blocks = 5000;
  std::uint64_t stake_threshold = 0;  // weighted stake below it counts as none, but for the owner's
  std::uint16_t validators_max = 64;
  std::uint16_t kappa = 32767;                   // majority, parts of 65535
  std::uint16_t bonds_penalty = 65535;           // parts of 65535
  std::uint64_t bonds_moving_average = 900'000;  // what a bond keeps per epoch, parts of 10^6
  std::uint64_t tao_weight = 0;                  // of root stake, parts of 2^64 - 1
  bool yuma3 = true;                             // else the classic bonds
  bool commit_reveal = true;
  bool liquid_alpha = false;        // only with yuma3
  std::uint16_t alpha_low = 45875;  // parts of 65535
  std::uint16_t alpha_high = 58982;
  std::int16_t alpha_sigmoid_steepness = 1000;
};

struct EpochInput {
  EpochParameters parameters;
  std::uint64_t block = 0;
  std::uint64_t last_step_block = 0;  // of this subnet's last epoch that ran; 0 for none
  std::uint64_t emission = 0;         // alpha to divide, in rao
  std::optional<std::uint16_t> owner_uid;

  std::vector<std::uint64_t> alpha_stake;  // one per neuron, with what childkeys give and take
  std::vector<std::uint64_t> root_stake;   // likewise
  std::vector<std::uint64_t> block_at_registration;  // likewise
  std::vector<std::uint64_t> last_update;            // may be shorter
  std::vector<bool> validator_permit;                // likewise
  // With commit-reveal, the block of the earliest commit that is neither revealed nor expired. A
  // missing one is kNoCommit.
  std::vector<std::uint64_t> commit_block;

  // One row per neuron. Columns beyond the neurons are ignored.
  SparseU16 weights;
  SparseU16 bonds;

  [[nodiscard]] std::size_t neurons() const { return alpha_stake.size(); }
};

// One element per neuron.
struct EpochOutput {
  std::vector<std::uint16_t> stake_weight;  // these five in parts of 65535
  std::vector<std::uint16_t> consensus;
  std::vector<std::uint16_t> incentive;
  std::vector<std::uint16_t> dividends;
  std::vector<std::uint16_t> validator_trust;
  std::vector<bool> active;
  std::vector<bool> validator_permit;   // for the next epoch
  std::vector<std::uint64_t> emission;  // these three in rao
  std::vector<std::uint64_t> server_emission;
  std::vector<std::uint64_t> validator_emission;
  std::vector<std::uint64_t> stake;  // weighted, in rao
  SparseU16 bonds;                   // to be stored; empty rows without a new permit

  // The same before rounding, for those who want to look.
  struct Exact {
    std::vector<I32F32> active_stake;
    std::vector<I32F32> consensus;
    std::vector<I32F32> incentive;
    std::vector<I32F32> dividends;
    std::vector<I32F32> validator_trust;
  };
  Exact exact;
};

// REQUIRES: as many root stakes, registration blocks, rows of weights and rows of bonds as alpha
// stakes, at most 65535.
[[nodiscard]] EpochOutput run_epoch(const EpochInput& input);

// Stake as validators count it, alpha + tao_weight * root, for each neuron.
[[nodiscard]] std::vector<I64F64> weighted_stakes(const EpochInput& input);

// The fraction of its bond that a validator's new weight replaces, without liquid alpha.
[[nodiscard]] I32F32 bonds_alpha(std::uint64_t bonds_moving_average);

}  // namespace muster::chain
