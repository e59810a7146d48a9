// Subnet: all that a ledger knows of one subnet, root (netuid 0) included.
//
// Lists per neuron are flat vectors indexed by uid; what is keyed by account is an ordered map, so
// that equal histories give equal bytes. Memory is linear in live entries: zero stakes and empty
// queues aren't kept. Source: subtensor: pallets/subtensor/src/lib.rs (storage). Thread safety:
// plain values.
#pragma once

#include <map>
#include <vector>

#include "chain/economy/pool.h"
#include "chain/economy/share_pool.h"
#include "chain/fixed/sparse.h"
#include "chain/runtime/economy_codec.h"
#include "chain/runtime/parameters.h"

namespace muster::chain::runtime {

using Row = std::vector<SparseEntry<std::uint16_t>>;  // of weights or bonds, in submission order

// One element per uid in every list.
struct Neurons {
  std::vector<AccountId> hotkeys;
  std::vector<std::uint64_t> registration_blocks;
  std::vector<bool> active;
  std::vector<bool> permits;
  std::vector<std::uint16_t> consensus, dividends, validator_trust, stake_weight;  // of 65535
  std::vector<std::uint64_t> emission;  // alpha-rao paid in the last epoch
  std::map<AccountId, std::uint16_t> uids;

  [[nodiscard]] std::size_t count() const { return hotkeys.size(); }
  [[nodiscard]] std::optional<std::uint16_t> uid_of(const AccountId& hotkey) const {
    const auto found = uids.find(hotkey);
    return found == uids.end() ? std::nullopt : std::optional(found->second);
  }
  static void fields(auto& self, auto& codec) {
    codec(self.hotkeys, self.registration_blocks, self.active, self.permits, self.consensus,
          self.dividends, self.validator_trust, self.stake_weight, self.emission, self.uids);
  }
};

struct WeightsCommit {
  Hash hash;
  std::uint64_t epoch = 0;
  std::uint64_t block = 0;
  static void fields(auto& self, auto& codec) { codec(self.hash, self.epoch, self.block); }
};

// Stored but never opened: this ledger doesn't decrypt, so it ends unrevealed when its epoch has
// passed.
struct TimelockedCommit {
  AccountId hotkey;
  std::uint64_t block = 0;
  BoundedBytes<kTimelockedCommitBytesMax> ciphertext;
  std::uint64_t reveal_round = 0;
  static void fields(auto& self, auto& codec) {
    codec(self.hotkey, self.block, self.ciphertext, self.reveal_round);
  }
};

// One incentive mechanism: who weighs whom. The lists have an element per uid.
struct Mechanism {
  std::vector<std::uint64_t> last_update;
  std::vector<std::uint16_t> incentive;
  std::vector<Row> weights;
  std::vector<Row> bonds;
  std::map<AccountId, std::vector<WeightsCommit>> commits;            // oldest first
  std::map<std::uint64_t, std::vector<TimelockedCommit>> timelocked;  // by epoch of the commit
  static void fields(auto& self, auto& codec) {
    codec(self.last_update, self.incentive, self.weights, self.bonds, self.commits,
          self.timelocked);
  }
};

// A hotkey's stake on one subnet, and who holds which share of it.
struct HotkeyStake {
  SharePool pool;
  std::map<AccountId, SafeFloat> shares;  // by coldkey
  static void fields(auto& self, auto& codec) { codec(self.pool, self.shares); }
};

// Amounts in rao and alpha-rao. Root counts TAO as its alpha, one for one.
struct SubnetEconomy {
  Pool pool;                       // of root only the TAO reserve is used
  std::uint64_t alpha_out = 0;     // all alpha outside the pool
  std::uint64_t alpha_minted = 0;  // minted - recycled = in the pool + out, always
  std::uint64_t alpha_recycled = 0;
  std::uint64_t alpha_burned = 0;    // destroyed, but still in the issuance
  std::uint64_t protocol_alpha = 0;  // bought by the chain itself
  I96F32 moving_price;
  U96F32 root_proportion;
  U96F32 miner_burned;            // fraction of the last epoch's incentive that owners' hotkeys had
  std::uint64_t burn_rao = kTao;  // registration price
  std::uint64_t burn_decay_q32 = 0;  // per block, from the half-life; cached
  std::uint64_t pending_server = 0, pending_validator = 0, pending_root = 0, pending_owner = 0;
  std::uint64_t locked_rao = 0;    // what its registration cost
  std::uint64_t recycled_rao = 0;  // paid for registrations
  Uint128 volume = 0;
  // Of the last block.
  std::uint64_t tao_in_emission = 0, alpha_in_emission = 0, alpha_out_emission = 0, excess_tao = 0;
  static void fields(auto& self, auto& codec) {
    codec(self.pool.alpha_reserve, self.pool.tao_reserve, self.pool.quote_weight, self.alpha_out,
          self.alpha_minted, self.alpha_recycled, self.alpha_burned, self.protocol_alpha,
          self.moving_price, self.root_proportion, self.miner_burned, self.burn_rao,
          self.burn_decay_q32, self.pending_server, self.pending_validator, self.pending_root,
          self.pending_owner, self.locked_rao, self.recycled_rao, self.volume, self.tao_in_emission,
          self.alpha_in_emission, self.alpha_out_emission, self.excess_tao);
  }
};

struct Schedule {
  std::uint64_t last_epoch_block = 0;
  std::uint64_t pending_epoch_at = 0;  // 0: none
  std::uint64_t epoch_index = 0;
  std::uint64_t blocks_since_last_step = 0;
  std::uint64_t last_step_block = 0;  // of the last epoch that paid; 0: none
  static void fields(auto& self, auto& codec) {
    codec(self.last_epoch_block, self.pending_epoch_at, self.epoch_index,
          self.blocks_since_last_step, self.last_step_block);
  }
};

struct Axon {
  std::uint64_t block = 0;
  std::uint32_t version = 0;
  Uint128 ip = 0;
  std::uint16_t port = 0;
  std::uint8_t ip_type = 0;
  std::uint8_t protocol = 0;
  std::uint8_t placeholder1 = 0, placeholder2 = 0;
  static void fields(auto& self, auto& codec) {
    codec(self.block, self.version, self.ip, self.port, self.ip_type, self.protocol,
          self.placeholder1, self.placeholder2);
  }
};

struct Commitment {
  std::uint64_t block = 0;
  std::vector<CommitmentData> data;
  std::uint64_t used_bytes = 0;  // in `used_epoch`
  std::uint64_t used_epoch = 0;
  static void fields(auto& self, auto& codec) {
    codec(self.block, self.data, self.used_bytes, self.used_epoch);
  }
};

using Relations = std::vector<std::pair<std::uint64_t, AccountId>>;  // proportion of 2^64 - 1, key

struct PendingChildren {
  Relations children;
  std::uint64_t cooldown_block = 0;  // applied at the first epoch after it
  static void fields(auto& self, auto& codec) { codec(self.children, self.cooldown_block); }
};

// Families: which stake validates under which other key.
struct Families {
  std::map<AccountId, Relations> children;
  std::map<AccountId, Relations> parents;
  std::map<AccountId, PendingChildren> pending;
  std::map<AccountId, std::uint16_t> takes;  // of a child, of 65535
  static void fields(auto& self, auto& codec) {
    codec(self.children, self.parents, self.pending, self.takes);
  }
};

// What an account may do only so often on a subnet.
enum class LimitedAction : std::uint8_t {
  kSetChildren,
  kSetChildkeyTake,
  kSetWeightsVersionKey,
  kSetMechanismCount,
  kSetMechanismSplit,
  kSetTempo,
};

struct Subnet {
  AccountId owner_coldkey, owner_hotkey;
  SubnetParameters parameters;
  SubnetRules rules;
  std::uint64_t registered_block = 0;
  std::optional<std::uint64_t> first_emission_block;
  bool subtoken_enabled = false;
  std::uint16_t registrations_this_block = 0, registrations_this_interval = 0;
  Schedule schedule;
  SubnetEconomy economy;
  Neurons neurons;
  std::vector<Mechanism> mechanisms = std::vector<Mechanism>(1);
  std::map<AccountId, HotkeyStake> stakes;  // by hotkey
  Families families;
  std::map<AccountId, Axon> axons;
  std::map<AccountId, Commitment> commitments;
  std::map<AccountId, std::uint64_t> alpha_dividends, root_dividends;  // of the last epoch
  std::map<std::pair<AccountId, std::uint8_t>, std::uint64_t> last_action_blocks;  // LimitedAction
  std::map<std::uint8_t, std::uint64_t>
      last_owner_blocks;  // upstream's number of the hyperparameter

  // Emits TAO and alpha: the owner started it.
  [[nodiscard]] bool emits() const {
    return first_emission_block && subtoken_enabled && parameters.registration_allowed;
  }
  [[nodiscard]] std::uint64_t stake_of(const AccountId& hotkey) const {
    const auto found = stakes.find(hotkey);
    return found == stakes.end() ? 0 : found->second.pool.total;
  }
  static void fields(auto& self, auto& codec) {
    codec(self.owner_coldkey, self.owner_hotkey, self.parameters, self.rules, self.registered_block,
          self.first_emission_block, self.subtoken_enabled, self.registrations_this_block,
          self.registrations_this_interval, self.schedule, self.economy, self.neurons,
          self.mechanisms, self.stakes, self.families, self.axons, self.commitments,
          self.alpha_dividends, self.root_dividends, self.last_action_blocks,
          self.last_owner_blocks);
  }
};

}  // namespace muster::chain::runtime
