// Calls of a subnet's owner: the schedule's (SubtensorModule) and the hyperparameter setters
// (AdminUtils).
//
// Upstream lets the root account make all of these too; a ledger of ours has no root account.
// Source: subtensor: macros/dispatches.rs, pallets/admin-utils. Thread safety: plain values.
#pragma once

#include <algorithm>

#include "chain/codec/call_id.h"
#include "chain/codec/subtensor_types.h"

namespace muster::chain {

// A call's name as a template argument.
template <std::size_t kCount>
struct CallName {
  char text[kCount]{};
  consteval CallName(const char (&name)[kCount]) { std::copy_n(name, kCount, text); }  // NOLINT
  [[nodiscard]] constexpr std::string_view view() const { return {text, kCount - 1}; }
};

// A call that gives one subnet's setting one value.
template <std::uint8_t kPallet, std::uint8_t kIndex, CallName kName, class Value>
struct SubnetSetting {
  static constexpr CallId kId{kPallet, kIndex, kName.view()};
  Netuid netuid = 0;
  Value value{};
  bool operator==(const SubnetSetting&) const = default;
  static void fields(auto& self, auto& codec) { codec(self.netuid, self.value); }
};
template <std::uint8_t kIndex, CallName kName, class Value>
using AdminSetting = SubnetSetting<kAdminPallet, kIndex, kName, Value>;

// Low and high bound of liquid alpha, of 65535.
struct AlphaBounds {
  std::uint16_t low = 0, high = 0;
  bool operator==(const AlphaBounds&) const = default;
  static void fields(auto& self, auto& codec) { codec(self.low, self.high); }
};

struct OwnerIncentiveSetting {
  OwnerIncentive what = OwnerIncentive::kBurn;
  bool operator==(const OwnerIncentiveSetting&) const = default;
  static void fields(const OwnerIncentiveSetting& self, ScaleWriter& codec) {
    codec(static_cast<std::uint8_t>(self.what));
  }
  static void fields(OwnerIncentiveSetting& self, ScaleReader& codec) {
    self.what = static_cast<OwnerIncentive>(codec.read_tag(1));
  }
};

using SetTempo = SubnetSetting<kSubtensorPallet, 139, "set_tempo", std::uint16_t>;
using SetActivityCutoffFactor =
    SubnetSetting<kSubtensorPallet, 140, "set_activity_cutoff_factor", std::uint32_t>;
struct TriggerEpoch {
  static constexpr CallId kId{kSubtensorPallet, 141, "trigger_epoch"};
  Netuid netuid = 0;
  bool operator==(const TriggerEpoch&) const = default;
  static void fields(auto& self, auto& codec) { codec(self.netuid); }
};

using SetServingRateLimit = AdminSetting<3, "sudo_set_serving_rate_limit", std::uint64_t>;
using SetWeightsVersionKey = AdminSetting<6, "sudo_set_weights_version_key", std::uint64_t>;
using SetImmunityPeriod = AdminSetting<13, "sudo_set_immunity_period", std::uint16_t>;
using SetMinAllowedWeights = AdminSetting<14, "sudo_set_min_allowed_weights", std::uint16_t>;
using SetMaxAllowedUids = AdminSetting<15, "sudo_set_max_allowed_uids", std::uint16_t>;
using SetRho = AdminSetting<17, "sudo_set_rho", std::uint16_t>;
using SetMinBurn = AdminSetting<22, "sudo_set_min_burn", std::uint64_t>;
using SetMaxBurn = AdminSetting<23, "sudo_set_max_burn", std::uint64_t>;
using SetBondsMovingAverage = AdminSetting<26, "sudo_set_bonds_moving_average", std::uint64_t>;
using SetCommitRevealEnabled = AdminSetting<49, "sudo_set_commit_reveal_weights_enabled", bool>;
using SetLiquidAlphaEnabled = AdminSetting<50, "sudo_set_liquid_alpha_enabled", bool>;
using SetAlphaValues = AdminSetting<51, "sudo_set_alpha_values", AlphaBounds>;
using SetRevealPeriod = AdminSetting<57, "sudo_set_commit_reveal_weights_interval", std::uint64_t>;
using SetBondsPenalty = AdminSetting<60, "sudo_set_bonds_penalty", std::uint16_t>;
using SetTransferEnabled = AdminSetting<61, "sudo_set_toggle_transfer", bool>;
using SetSubnetOwnerHotkey = AdminSetting<67, "sudo_set_sn_owner_hotkey", AccountId>;
using SetAlphaSigmoidSteepness = AdminSetting<68, "sudo_set_alpha_sigmoid_steepness", std::int16_t>;
using SetYuma3Enabled = AdminSetting<69, "sudo_set_yuma3_enabled", bool>;
using SetBondsResetEnabled = AdminSetting<70, "sudo_set_bonds_reset_enabled", bool>;
using SetOwnerImmuneLimit = AdminSetting<72, "sudo_set_owner_immune_neuron_limit", std::uint16_t>;
using SetMechanismCount = AdminSetting<76, "sudo_set_mechanism_count", MechanismId>;
using SetMechanismSplit = AdminSetting<77, "sudo_set_mechanism_emission_split",
                                       std::optional<std::vector<std::uint16_t>>>;
using SetRecycleOrBurn = AdminSetting<80, "sudo_set_recycle_or_burn", OwnerIncentiveSetting>;
using SetBurnHalfLife = AdminSetting<89, "sudo_set_burn_half_life", std::uint16_t>;
using SetBurnIncreaseMult = AdminSetting<90, "sudo_set_burn_increase_mult", Uint128>;  // U64F64
using SetOwnerCutEnabled = AdminSetting<92, "sudo_set_owner_cut_enabled", bool>;
using SetMinChildkeyTake = AdminSetting<93, "sudo_set_min_childkey_take_per_subnet", std::uint16_t>;

}  // namespace muster::chain
