#include "cli/ledger/genesis_config.h"

#include "cli/toml_section.h"
#include "cli/units.h"

namespace muster::cli {
namespace {

using chain::AccountId;
using namespace chain::runtime;

// Fields in the forms that people write: accounts as SS58 addresses, amounts as "12.5".
class GenesisSection {
 public:
  explicit GenesisSection(TomlSection section) : section_(std::move(section)) {}
  GenesisSection& account(const char* key, AccountId& target) {
    section_.parsed<AccountId>(key, target, [](const std::string& text) -> Result<AccountId> {
      auto account = chain::account_of_address(text);
      if (!account) return std::move(account).error().within("an SS58 address");
      return account;
    });
    return *this;
  }
  GenesisSection& amount(const char* key, std::uint64_t& rao) {
    section_.parsed<std::uint64_t>(key, rao, [](const std::string& text) -> Result<std::uint64_t> {
      auto amount = parse_rao(text);
      if (!amount) return std::move(amount).error().within("an amount in quotes");
      return amount;
    });
    return *this;
  }
  TomlSection& plain() { return section_; }

 private:
  TomlSection section_;
};

Status read_network(TomlSection section, NetworkParameters& network) {
  bool gate = network.emission_rule == EmissionRule::kGated;
  double tao_weight = -1;
  GenesisSection named(std::move(section));
  named.amount("lock_min", network.network_lock_min_rao)
      .amount("stake_min", network.stake_min_rao)
      .amount("stake_threshold", network.stake_threshold)
      .plain()
      .field("emission_gate", gate)
      .field("emission_bar_rank", network.emission_bar_rank)
      .field("tao_weight", tao_weight)
      .require(tao_weight == -1 || (tao_weight >= 0 && tao_weight <= 1), "tao_weight",
               "from 0 to 1")
      .field("subnet_limit", network.subnet_limit)
      .field("network_rate_limit_blocks", network.network_rate_limit_blocks)
      .field("network_immunity_blocks", network.network_immunity_blocks)
      .field("lock_reduction_blocks", network.lock_reduction_blocks)
      .field("start_call_delay_blocks", network.start_call_delay_blocks)
      .field("start_enables_emission", network.start_enables_emission)
      .field("root_uids_max", network.root_uids_max)
      .field("take_rate_limit_blocks", network.take_rate_limit_blocks)
      .field("children_cooldown_blocks", network.children_cooldown_blocks);
  MUSTER_TRY_STATUS(named.plain().finish());
  network.emission_rule = gate ? EmissionRule::kGated : EmissionRule::kPriceShares;
  // A fraction of 2^64 - 1, exact to the 53 bits of what was written.
  if (tao_weight >= 0)
    network.tao_weight = tao_weight >= 1
                             ? ~std::uint64_t{0}
                             : static_cast<std::uint64_t>(tao_weight * 18446744073709551616.0);
  return {};
}

template <class T, class Read>
Status read_tables(TomlSection& section, const char* key, std::vector<T>& target,
                   const Read& read) {
  for (TomlSection& table : section.tables(key)) {
    GenesisSection named(std::move(table));
    read(named, target.emplace_back());
    MUSTER_TRY_STATUS(named.plain().finish());
  }
  return {};
}

void read_neuron(GenesisSection& section, GenesisNeuron& neuron) {
  section.account("hotkey", neuron.hotkey);
  neuron.coldkey = neuron.hotkey;
  section.account("coldkey", neuron.coldkey);
}

void read_stake(GenesisSection& section, GenesisStake& stake) {
  section.account("hotkey", stake.hotkey);
  stake.coldkey = stake.hotkey;
  section.account("coldkey", stake.coldkey).amount("amount", stake.amount);
}

Status read_subnet(GenesisSection& section, GenesisSubnet& subnet) {
  auto& p = subnet.parameters;
  section.account("owner", subnet.owner_coldkey);
  subnet.owner_hotkey = subnet.owner_coldkey;
  section.account("owner_hotkey", subnet.owner_hotkey)
      .amount("pool_tao", subnet.tao_reserve)
      .amount("pool_alpha", subnet.alpha_reserve)
      .amount("registration", subnet.burn_rao)
      .amount("registration_min", p.burn_min_rao)
      .amount("registration_max", p.burn_max_rao)
      .amount("commit_deposit", subnet.rules.commit_deposit_rao)
      .plain()
      .field("netuid", subnet.netuid)
      .field("started", subnet.started)
      .field("fixed_rules", subnet.rules.fixed)
      .field("recycle_unearned", subnet.rules.recycle_unearned)
      .field("first_permits", subnet.first_permits)
      .field("tempo", p.tempo)
      .field("uids_max", p.uids_max)
      .field("validators_max", p.validators_max)
      .field("min_allowed_weights", p.min_allowed_weights)
      .field("immunity_period", p.immunity_period)
      .field("weights_version_key", p.weights_version_key)
      .field("weights_rate_limit_blocks", p.weights_rate_limit_blocks)
      .field("commit_reveal", p.commit_reveal)
      .field("reveal_period_epochs", p.reveal_period_epochs)
      .field("kappa", p.kappa)
      .field("yuma3", p.yuma3)
      .field("liquid_alpha", p.liquid_alpha)
      .field("bonds_moving_average", p.bonds_moving_average)
      .field("bonds_penalty", p.bonds_penalty)
      .field("registration_half_life_blocks", p.burn_half_life_blocks)
      .field("owner_cut", p.owner_cut)
      .field("fee_rate", p.fee_rate);
  MUSTER_TRY_STATUS(read_tables(section.plain(), "neuron", subnet.neurons, read_neuron));
  return read_tables(section.plain(), "stake", subnet.stakes, read_stake);
}

}  // namespace

Result<Genesis> read_genesis_config(const std::filesystem::path& path,
                                    const std::vector<std::string>& overrides) {
  MUSTER_TRY(const TomlFile file, TomlFile::read(path, overrides));
  Genesis genesis;
  GenesisSection named(file.section(""));
  named.account("author", genesis.author);
  TomlSection& root = named.plain();
  root.field("name", genesis.name)
      .field("block_ms", genesis.block_ms)
      .field("byte_fee_rao", genesis.byte_fee_rao)
      .field("call_fee_rao", genesis.call_fee_rao)
      .known({"network", "root"});
  MUSTER_TRY_STATUS(read_network(file.section("network"), genesis.network));
  MUSTER_TRY_STATUS(read_tables(
      root, "balance", genesis.balances, [](GenesisSection& section, GenesisBalance& balance) {
        section.account("account", balance.account).amount("tao", balance.rao);
      }));
  TomlSection root_subnet = file.section("root");
  MUSTER_TRY_STATUS(read_tables(root_subnet, "neuron", genesis.root_neurons, read_neuron));
  MUSTER_TRY_STATUS(read_tables(root_subnet, "stake", genesis.root_stakes, read_stake));
  MUSTER_TRY_STATUS(root_subnet.finish());
  for (TomlSection& table : root.tables("subnet")) {
    GenesisSection section(std::move(table));
    MUSTER_TRY_STATUS(read_subnet(section, genesis.subnets.emplace_back()));
    MUSTER_TRY_STATUS(section.plain().finish());
  }
  MUSTER_TRY_STATUS(root.finish());
  if (Status valid = validate(genesis); !valid)
    return std::move(valid).error().within(path.string());
  return genesis;
}

}  // namespace muster::cli
