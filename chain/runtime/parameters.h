// What a network and a subnet are tuned by. The defaults are Subtensor's at spec 425.
//
// Source: subtensor: runtime/src/lib.rs (SubtensorInitial*), pallets/subtensor/src/lib.rs
// (Default*), subnets/subnet.rs (init_new_network). Thread safety: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "chain/codec/subtensor_types.h"
#include "chain/economy/block_emission.h"
#include "chain/economy/schedule.h"
#include "chain/fixed/fixed.h"

namespace muster::chain::runtime {

inline constexpr std::uint64_t kTao = 1'000'000'000;  // rao
inline constexpr std::uint16_t kUidsMax = 256;        // of a subnet, over all its mechanisms
inline constexpr std::uint16_t kUidsMin = 64;         // that an owner may limit a subnet to
inline constexpr std::uint16_t kTempoMin = 360;       // that an owner may set, up to kTempoMax
inline constexpr std::uint16_t kCommitRevealVersion = 4;
inline constexpr std::size_t kUnrevealedCommitsMax = 10;  // of one hotkey
inline constexpr std::size_t kChildrenMax = 5;
inline constexpr std::size_t kRootClaimSubnetsMax = 5;
inline constexpr std::size_t kCommitmentFieldsMax = 3;

// Which rule divides the TAO of a block between subnets.
enum class EmissionRule : std::uint8_t {
  kPriceShares,  // spec 425: by moving price and the part of the incentive that isn't burned
  kGated,        // spec 440 on: those shares through a gate that favours the large ones
};

// The same for all subnets. Set at genesis; no call changes it.
struct NetworkParameters {
  std::uint64_t tao_weight = 971'718'665'099'567'868;  // of root stake against alpha, of 2^64 - 1
  std::uint64_t stake_threshold = 0;                   // weighted stake for setting weights
  EmissionRule emission_rule = EmissionRule::kPriceShares;
  std::uint16_t emission_bar_rank = 32;  // kGated: which largest share is the bar
  std::uint64_t existential_deposit_rao = 500;
  std::uint64_t stake_min_rao = 2'000'000;
  std::uint64_t nominator_stake_min_parts = 0;  // of stake_min_rao, in millionths
  std::uint16_t subnet_owner_cut = 11'796;      // of 65535
  std::uint8_t epochs_per_block_max = 2;
  std::uint16_t subnet_limit = 128;                 // besides root
  std::uint64_t network_rate_limit_blocks = 7'200;  // between two new subnets
  std::uint64_t network_immunity_blocks = 1'296'000;
  std::uint64_t network_lock_min_rao = 1'000 * kTao;
  std::uint64_t lock_reduction_blocks = 14 * 7'200;
  std::uint64_t start_call_delay_blocks = 0;
  std::uint16_t root_uids_max = 64;
  std::uint16_t take_default = 11'796;  // of 65535; also the largest
  std::uint16_t take_min = 0;
  std::uint64_t take_rate_limit_blocks = 216'000;
  std::uint16_t childkey_take_min = 0;
  std::uint16_t childkey_take_max = 11'796;
  std::uint64_t childkey_take_rate_limit_blocks = 216'000;
  std::uint64_t children_rate_limit_blocks = 150;
  std::uint64_t children_cooldown_blocks = 15 * 7'200;
  std::uint64_t childkey_burn = 0;               // of 2^64 - 1
  std::uint64_t root_claim_threshold = 500'000;  // alpha-rao
  std::uint64_t root_claims_per_block = 5;       // coldkeys
  std::uint16_t admin_freeze_blocks = 10;        // before an epoch, no hyperparameter changes
  std::uint16_t owner_rate_limit_tempos = 2;     // between two changes of one hyperparameter
  std::uint16_t version_key_rate_limit_tempos = 5;
  std::uint64_t owner_hotkey_rate_limit_blocks = 50'400;
  std::uint8_t mechanisms_max = 2;
  std::uint64_t mechanism_rate_limit_blocks = 7'200;
  std::uint64_t commitment_bytes_per_epoch = 3'100;
  // TAO flows into a new subnet's pool from its start. Upstream governance enables it by hand.
  bool start_enables_emission = true;
  bool operator==(const NetworkParameters&) const = default;
  static void fields(auto& self, auto& codec) {
    codec(self.tao_weight, self.stake_threshold);
    codec.enumeration(self.emission_rule, 1);
    codec(self.emission_bar_rank, self.existential_deposit_rao, self.stake_min_rao,
          self.nominator_stake_min_parts, self.subnet_owner_cut, self.epochs_per_block_max,
          self.subnet_limit, self.network_rate_limit_blocks, self.network_immunity_blocks,
          self.network_lock_min_rao, self.lock_reduction_blocks, self.start_call_delay_blocks,
          self.root_uids_max, self.take_default, self.take_min, self.take_rate_limit_blocks,
          self.childkey_take_min, self.childkey_take_max, self.childkey_take_rate_limit_blocks,
          self.children_rate_limit_blocks, self.children_cooldown_blocks, self.childkey_burn,
          self.root_claim_threshold, self.root_claims_per_block, self.admin_freeze_blocks,
          self.owner_rate_limit_tempos, self.version_key_rate_limit_tempos,
          self.owner_hotkey_rate_limit_blocks, self.mechanisms_max,
          self.mechanism_rate_limit_blocks, self.commitment_bytes_per_epoch,
          self.start_enables_emission);
  }
};

// One subnet's. Most can be set by its owner; the defaults are a new subnet's.
struct SubnetParameters {
  std::uint16_t tempo = 360;  // blocks between epochs
  std::uint32_t activity_cutoff_factor_milli = 13'889;
  std::uint16_t kappa = 32'767;
  std::uint16_t rho = 10;
  std::uint16_t uids_max = 256;
  std::uint16_t validators_max = 64;
  std::uint16_t min_allowed_weights = 1;
  std::uint16_t immunity_period = 5'000;
  std::uint16_t non_immune_uids_min = 10;
  std::uint16_t owner_immune_limit = 1;
  std::uint64_t weights_version_key = 0;
  std::uint64_t weights_rate_limit_blocks = 100;
  std::uint64_t serving_rate_limit_blocks = 50;
  bool commit_reveal = true;
  std::uint64_t reveal_period_epochs = 1;
  bool yuma3 = true;
  bool liquid_alpha = false;
  std::uint16_t alpha_low = 45'875;
  std::uint16_t alpha_high = 58'982;
  std::int16_t alpha_sigmoid_steepness = 1'000;
  std::uint64_t bonds_moving_average = 900'000;
  std::uint16_t bonds_penalty = 65'535;
  bool bonds_reset = false;
  bool registration_allowed = true;
  bool transfer_allowed = true;
  std::uint64_t burn_min_rao = 500'000;
  std::uint64_t burn_max_rao = 100 * kTao;
  std::uint16_t burn_half_life_blocks = 360;
  U64F64 burn_increase =
      U64F64::from_bits((Uint128{1} << 64) + 0x428F'5C28'F5C2'9000);  // 1.26, a double
  bool owner_cut = true;
  OwnerIncentive owner_incentive = OwnerIncentive::kBurn;
  std::uint16_t childkey_take_min = 0;
  bool emission_enabled = true;
  std::uint16_t fee_rate = 33;  // of 65535
  std::uint64_t price_halving_blocks = 201'600;
  std::optional<std::vector<std::uint16_t>> mechanism_split;
  bool operator==(const SubnetParameters&) const = default;
  static void fields(auto& self, auto& codec) {
    codec(self.tempo, self.activity_cutoff_factor_milli, self.kappa, self.rho, self.uids_max,
          self.validators_max, self.min_allowed_weights, self.immunity_period,
          self.non_immune_uids_min, self.owner_immune_limit, self.weights_version_key,
          self.weights_rate_limit_blocks, self.serving_rate_limit_blocks, self.commit_reveal,
          self.reveal_period_epochs, self.yuma3, self.liquid_alpha, self.alpha_low, self.alpha_high,
          self.alpha_sigmoid_steepness, self.bonds_moving_average, self.bonds_penalty,
          self.bonds_reset, self.registration_allowed, self.transfer_allowed, self.burn_min_rao,
          self.burn_max_rao, self.burn_half_life_blocks, self.burn_increase, self.owner_cut);
    codec.enumeration(self.owner_incentive, 1);
    codec(self.childkey_take_min, self.emission_enabled, self.fee_rate, self.price_halving_blocks,
          self.mechanism_split);
  }
};

// Rules that Subtensor does not have. All are off by default; the genesis sets them, and no call
// changes them.
struct SubnetRules {
  bool fixed =
      false;  // the owner changes no parameter, mechanism or epoch, nor which hotkey is its own
  bool recycle_unearned = false;  // an epoch without incentive recycles the miners' part, which
                                  // validators get otherwise
  // What a hotkey pays for a commit of weights, and gets back when it reveals them.
  std::uint64_t commit_deposit_rao = 0;
  bool operator==(const SubnetRules&) const = default;
  static void fields(auto& self, auto& codec) {
    codec(self.fixed, self.recycle_unearned, self.commit_deposit_rao);
  }
};

}  // namespace muster::chain::runtime
