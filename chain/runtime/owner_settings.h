// Owner settings: the hyperparameters that a subnet's owner may set, each so often, and not shortly before an epoch.
//
// Upstream lets its root account set them too, without these limits; a ledger of ours has no such account.
// Source: subtensor: pallets/admin-utils, coinbase/tempo_control.rs, subnets/mechanism.rs, utils/rate_limiting.rs.
// Thread safety: none; one owner.
#pragma once

#include "chain/codec/call.h"
#include "chain/runtime/context.h"

namespace muster::chain::runtime {

[[nodiscard]] Outcome apply_setting(const Context&, const AccountId& signer, const SetTempo&);
[[nodiscard]] Outcome apply_setting(const Context&, const AccountId& signer, const SetActivityCutoffFactor&);
[[nodiscard]] Outcome apply_setting(const Context&, const AccountId& signer, const TriggerEpoch&);
[[nodiscard]] Outcome apply_setting(const Context&, const AccountId& signer, const SetServingRateLimit&);
[[nodiscard]] Outcome apply_setting(const Context&, const AccountId& signer, const SetWeightsVersionKey&);
[[nodiscard]] Outcome apply_setting(const Context&, const AccountId& signer, const SetImmunityPeriod&);
[[nodiscard]] Outcome apply_setting(const Context&, const AccountId& signer, const SetMinAllowedWeights&);
[[nodiscard]] Outcome apply_setting(const Context&, const AccountId& signer, const SetMaxAllowedUids&);
[[nodiscard]] Outcome apply_setting(const Context&, const AccountId& signer, const SetRho&);
[[nodiscard]] Outcome apply_setting(const Context&, const AccountId& signer, const SetMinBurn&);
[[nodiscard]] Outcome apply_setting(const Context&, const AccountId& signer, const SetMaxBurn&);
[[nodiscard]] Outcome apply_setting(const Context&, const AccountId& signer, const SetBondsMovingAverage&);
[[nodiscard]] Outcome apply_setting(const Context&, const AccountId& signer, const SetCommitRevealEnabled&);
[[nodiscard]] Outcome apply_setting(const Context&, const AccountId& signer, const SetLiquidAlphaEnabled&);
[[nodiscard]] Outcome apply_setting(const Context&, const AccountId& signer, const SetAlphaValues&);
[[nodiscard]] Outcome apply_setting(const Context&, const AccountId& signer, const SetRevealPeriod&);
[[nodiscard]] Outcome apply_setting(const Context&, const AccountId& signer, const SetBondsPenalty&);
[[nodiscard]] Outcome apply_setting(const Context&, const AccountId& signer, const SetTransferEnabled&);
[[nodiscard]] Outcome apply_setting(const Context&, const AccountId& signer, const SetSubnetOwnerHotkey&);
[[nodiscard]] Outcome apply_setting(const Context&, const AccountId& signer, const SetAlphaSigmoidSteepness&);
[[nodiscard]] Outcome apply_setting(const Context&, const AccountId& signer, const SetYuma3Enabled&);
[[nodiscard]] Outcome apply_setting(const Context&, const AccountId& signer, const SetBondsResetEnabled&);
[[nodiscard]] Outcome apply_setting(const Context&, const AccountId& signer, const SetOwnerImmuneLimit&);
[[nodiscard]] Outcome apply_setting(const Context&, const AccountId& signer, const SetMechanismCount&);
[[nodiscard]] Outcome apply_setting(const Context&, const AccountId& signer, const SetMechanismSplit&);
[[nodiscard]] Outcome apply_setting(const Context&, const AccountId& signer, const SetRecycleOrBurn&);
[[nodiscard]] Outcome apply_setting(const Context&, const AccountId& signer, const SetBurnHalfLife&);
[[nodiscard]] Outcome apply_setting(const Context&, const AccountId& signer, const SetBurnIncreaseMult&);
[[nodiscard]] Outcome apply_setting(const Context&, const AccountId& signer, const SetOwnerCutEnabled&);
[[nodiscard]] Outcome apply_setting(const Context&, const AccountId& signer, const SetMinChildkeyTake&);

}  // namespace muster::chain::runtime
