// The ledger commands that only look: tables for people, JSON with rao for scripts.
#include <cinttypes>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/key.h"
#include "base/printable.h"
#include "chain/codec/signed_extrinsic.h"
#include "chain/codec/ss58.h"
#include "chain/economy/block_emission.h"
#include "chain/runtime/ledger.h"
#include "chain/runtime/views.h"
#include "chain/service/network_view.h"
#include "cli/json_text.h"
#include "cli/ledger/ledger_access.h"
#include "cli/ledger/ledger_commands.h"
#include "cli/units.h"

namespace muster::cli {
namespace {

using chain::Netuid;
using nlohmann::ordered_json;
namespace rt = chain::runtime;

struct ViewOptions : LedgerAccess {
  Netuid netuid = 1;
  std::uint64_t number = 0;
  std::string account;
};

std::string address(const PublicKey& account) { return chain::ss58_encode(account); }

double number_of(chain::U64F64 value) { return static_cast<double>(value.bits) * 0x1p-64; }
double number_of(chain::I96F32 value) { return static_cast<double>(value.bits) * 0x1p-32; }

// ---- status, halving

ordered_json halving_json(const rt::State& state) {
  const rt::HalvingInfo info = rt::halving_info(state);
  ordered_json json{
      {"issuance_rao", info.issuance_rao}, {"emission_rao_per_block", info.block_emission_rao},
      {"halvings_done", info.halvings},    {"next_issuance_rao", info.next_issuance_rao},
      {"blocks_left", info.blocks_left},   {"halvings", ordered_json::array()}};
  for (int k = 1; k <= 30; ++k)
    json["halvings"].push_back({{"number", k}, {"issuance_rao", chain::issuance_at_halving(k)}});
  return json;
}

void print_halving(const rt::State& state, const chain::InfoAnswer& about) {
  const rt::HalvingInfo info = rt::halving_info(state);
  std::printf("issuance %s of 21 000 000 TAO, %s TAO per block\n",
              human_tao(info.issuance_rao).c_str(), exact_tao(info.block_emission_rao).c_str());
  std::printf("the next halving is %" PRIu64
              " blocks away (%s), later for all that is recycled\n\n",
              info.blocks_left,
              human_seconds(static_cast<double>(info.blocks_left) * about.block_ms / 1000).c_str());
  std::printf("halving  at an issuance of       TAO per block\n");
  for (int k = 1; k <= 8; ++k)
    std::printf("%7d  %17s  %18s%s\n", k, human_tao(chain::issuance_at_halving(k)).c_str(),
                exact_tao(chain::kFirstBlockEmission >> k).c_str(),
                k <= info.halvings ? "   done" : "");
}

Result<int> show_halving(const ViewOptions& options) {
  MUSTER_TRY(auto connection, connect(options));
  MUSTER_TRY(const auto about, connection.ledger->info());
  MUSTER_TRY(const auto state, connection.ledger->state());
  if (options.json)
    std::printf("%s\n", json_text(halving_json(state), 2).c_str());
  else
    print_halving(state, about);
  return 0;
}

Result<int> show_status(const ViewOptions& options) {
  MUSTER_TRY(auto connection, connect(options));
  MUSTER_TRY(const auto about, connection.ledger->info());
  MUSTER_TRY(const auto state, connection.ledger->state());
  if (options.json) {
    const ordered_json json{{"name", about.name},
                            {"genesis", about.head.genesis.hex()},
                            {"block", about.head.number},
                            {"head", about.head.block.hex()},
                            {"block_ms", about.block_ms},
                            {"spec_version", about.spec_version},
                            {"issuance_rao", state.issuance_rao},
                            {"stake_rao", state.stake_rao},
                            {"accounts", state.accounts.size()},
                            {"subnets", state.subnets.size()}};
    std::printf("%s\n", json_text(json, 2).c_str());
    return 0;
  }
  std::printf("%s, genesis %s…, rules of Subtensor spec %u\n", printable(about.name).c_str(),
              about.head.genesis.brief().c_str(), about.spec_version);
  std::printf("block %" PRIu64 " (%s…), one every %s\n", about.head.number,
              about.head.block.brief().c_str(), human_seconds(about.block_ms / 1000.0).c_str());
  std::printf("issuance %s TAO, of it staked %s; %s TAO per block\n",
              human_tao(state.issuance_rao).c_str(), human_tao(state.stake_rao).c_str(),
              exact_tao(chain::block_emission(state.issuance_rao)).c_str());
  std::printf("%zu accounts, %zu subnets beside root\n", state.accounts.size(),
              state.subnets.size() - 1);
  return 0;
}

// ---- block

Result<int> show_block(const ViewOptions& options) {
  MUSTER_TRY(auto connection, connect(options));
  MUSTER_TRY(const auto about, connection.ledger->info());
  const std::uint64_t number = options.number == 0 ? about.head.number : options.number;
  MUSTER_TRY(const Bytes bytes, connection.ledger->block(number));
  MUSTER_TRY(const auto block, rt::decode_block(bytes));
  ordered_json json{{"number", block.number},
                    {"hash", rt::block_hash(block).hex()},
                    {"parent", block.parent.hex()},
                    {"state", block.state ? block.state->hex() : ""},
                    {"extrinsics", ordered_json::array()}};
  for (const Bytes& extrinsic : block.extrinsics) {
    MUSTER_TRY(const auto parsed, chain::decode_extrinsic(extrinsic));
    json["extrinsics"].push_back({{"hash", chain::extrinsic_hash(extrinsic).hex()},
                                  {"call", chain::id_of(parsed.call).name},
                                  {"signer", address(parsed.signer)},
                                  {"nonce", parsed.nonce},
                                  {"bytes", extrinsic.size()}});
  }
  if (options.json) {
    std::printf("%s\n", json_text(json, 2).c_str());
    return 0;
  }
  std::printf("block %" PRIu64 "\n  hash   %s\n  parent %s\n  state  %s\n  %zu extrinsics\n",
              block.number, json["hash"].get<std::string>().c_str(), block.parent.hex().c_str(),
              json["state"].get<std::string>().c_str(), block.extrinsics.size());
  for (const auto& e : json["extrinsics"])
    std::printf("  %-26s %s  nonce %u\n", e["call"].get<std::string>().c_str(),
                e["signer"].get<std::string>().c_str(), e["nonce"].get<unsigned>());
  return 0;
}

// ---- subnets

ordered_json subnet_json(const rt::SubnetInfo& subnet) {
  return {{"netuid", subnet.netuid},
          {"owner", address(subnet.owner_coldkey)},
          {"owner_hotkey", address(subnet.owner_hotkey)},
          {"registered_block", subnet.registered_block},
          {"started", subnet.started},
          {"neurons", subnet.neurons},
          {"tempo", subnet.tempo},
          {"next_epoch_block", subnet.next_epoch_block.value_or(0)},
          {"price", number_of(subnet.price)},
          {"moving_price", number_of(subnet.moving_price)},
          {"emission_share", number_of(subnet.emission_share)},
          {"pool_tao_rao", subnet.pool.tao_reserve},
          {"pool_alpha_rao", subnet.pool.alpha_reserve},
          {"alpha_out_rao", subnet.alpha_out},
          {"pending_alpha_rao", subnet.pending_alpha},
          {"tao_in_emission_rao", subnet.tao_in_emission},
          {"alpha_out_emission_rao", subnet.alpha_out_emission},
          {"registration_rao", subnet.burn_rao}};
}

Result<int> show_subnets(const ViewOptions& options) {
  MUSTER_TRY(auto connection, connect(options));
  MUSTER_TRY(const auto state, connection.ledger->state());
  ordered_json json = ordered_json::array();
  for (const rt::SubnetInfo& subnet : rt::subnet_infos(state)) json.push_back(subnet_json(subnet));
  if (options.json) {
    std::printf("%s\n", json_text(json, 2).c_str());
    return 0;
  }
  std::printf(
      "netuid  neurons  tempo       price    moving   share        pool TAO      pool alpha       "
      "alpha out  "
      "registration\n");
  for (const auto& s : json)
    std::printf("%6u  %7zu  %5u  %10.6f  %8.6f  %5.1f %%  %14s  %14s  %14s  %12s%s\n",
                s["netuid"].get<unsigned>(), s["neurons"].get<std::size_t>(),
                s["tempo"].get<unsigned>(), s["price"].get<double>(),
                s["moving_price"].get<double>(), 100 * s["emission_share"].get<double>(),
                human_tao(s["pool_tao_rao"].get<std::uint64_t>()).c_str(),
                human_tao(s["pool_alpha_rao"].get<std::uint64_t>()).c_str(),
                human_tao(s["alpha_out_rao"].get<std::uint64_t>()).c_str(),
                human_tao(s["registration_rao"].get<std::uint64_t>()).c_str(),
                s["started"].get<bool>() ? "" : "  not started");
  return 0;
}

// ---- metagraph

ordered_json metagraph_json(const rt::Metagraph& graph) {
  ordered_json json{{"netuid", graph.netuid},
                    {"block", graph.block},
                    {"owner", address(graph.owner_coldkey)},
                    {"owner_hotkey", address(graph.owner_hotkey)},
                    {"tempo", graph.parameters.tempo},
                    {"epoch", graph.epoch_index},
                    {"next_epoch_block", graph.next_epoch_block.value_or(0)},
                    {"price", number_of(graph.price)},
                    {"moving_price", number_of(graph.moving_price)},
                    {"registration_rao", graph.burn_rao},
                    {"neurons", ordered_json::array()}};
  for (const rt::NeuronView& n : graph.neurons)
    json["neurons"].push_back({{"uid", n.uid},
                               {"hotkey", address(n.hotkey)},
                               {"coldkey", address(n.coldkey)},
                               {"alpha_stake_rao", n.alpha_stake},
                               {"root_stake_rao", n.root_stake},
                               {"total_stake_rao", n.total_stake},
                               {"active", n.active},
                               {"permit", n.validator_permit},
                               {"last_update", n.last_update},
                               {"registered_block", n.block_at_registration},
                               {"consensus", n.consensus},
                               {"incentive", n.incentive},
                               {"dividends", n.dividends},
                               {"validator_trust", n.validator_trust},
                               {"emission_rao", n.emission}});
  return json;
}

Result<int> show_metagraph(const ViewOptions& options) {
  MUSTER_TRY(auto connection, connect(options));
  MUSTER_TRY(const auto state, connection.ledger->state());
  const auto graph = rt::metagraph(state, options.netuid);
  if (!graph)
    return Error{Errc::kNotFound, "there is no subnet " + std::to_string(options.netuid) +
                                      "; `muster ledger subnets` lists them"};
  const ordered_json json = metagraph_json(*graph);
  if (options.json) {
    std::printf("%s\n", json_text(json, 2).c_str());
    return 0;
  }
  std::printf("subnet %u: price %.6f TAO, tempo %u, epoch %" PRIu64 ", owner %s\n\n",
              options.netuid, json["price"].get<double>(), json["tempo"].get<unsigned>(),
              json["epoch"].get<std::uint64_t>(), json["owner"].get<std::string>().c_str());
  std::printf(
      " uid  hotkey                                            stake  permit  incentive  dividends "
      " "
      "     emission  updated\n");
  for (const auto& n : json["neurons"])
    std::printf("%4zu  %s  %14s  %-6s  %9.4f  %9.4f  %13s  %7" PRIu64 "\n",
                n["uid"].get<std::size_t>(), n["hotkey"].get<std::string>().c_str(),
                human_tao(n["total_stake_rao"].get<std::uint64_t>()).c_str(),
                n["permit"].get<bool>() ? "yes" : "-", n["incentive"].get<double>() / 65535,
                n["dividends"].get<double>() / 65535,
                human_tao(n["emission_rao"].get<std::uint64_t>()).c_str(),
                n["last_update"].get<std::uint64_t>());
  return 0;
}

// ---- wallet

Result<int> show_wallet(const ViewOptions& options) {
  MUSTER_TRY(auto connection, connect(options));
  MUSTER_TRY(const PublicKey account,
             account_named(options, options.account.empty() ? options.key : options.account));
  MUSTER_TRY(const auto state, connection.ledger->state());
  const auto own = state.accounts.find(account);
  ordered_json json{{"address", address(account)},
                    {"free_rao", own == state.accounts.end() ? 0 : own->second.free_rao},
                    {"nonce", own == state.accounts.end() ? 0 : own->second.nonce},
                    {"stakes", ordered_json::array()}};
  for (const rt::StakeInfo& stake : rt::stakes_of_coldkey(state, account))
    json["stakes"].push_back({{"netuid", stake.netuid},
                              {"hotkey", address(stake.hotkey)},
                              {"alpha_rao", stake.amount},
                              {"worth_rao", stake.value_rao}});
  if (options.json) {
    std::printf("%s\n", json_text(json, 2).c_str());
    return 0;
  }
  std::printf("%s\nfree  %s TAO, nonce %u\n", json["address"].get<std::string>().c_str(),
              exact_tao(json["free_rao"].get<std::uint64_t>()).c_str(),
              json["nonce"].get<unsigned>());
  for (const auto& stake : json["stakes"])
    std::printf("subnet %-3u  behind %s  %s alpha, worth about %s TAO\n",
                stake["netuid"].get<unsigned>(), stake["hotkey"].get<std::string>().c_str(),
                exact_tao(stake["alpha_rao"].get<std::uint64_t>()).c_str(),
                human_tao(stake["worth_rao"].get<std::uint64_t>()).c_str());
  return 0;
}

std::pair<Command, std::shared_ptr<ViewOptions>> add_view(Command parent, const char* name,
                                                          const char* text, const char* example,
                                                          Result<int> (*show)(const ViewOptions&)) {
  auto options = std::make_shared<ViewOptions>();
  const Command command = parent.add_command(name, text);
  add_ledger_access(command, *options);
  command.footer(std::string("Example: muster ledger ") + example);
  command.action([options, show](const std::atomic<bool>&) { return show(*options); });
  return {command, options};
}

void add_wallet(Command ledger) {
  const Command group = ledger.add_command("wallet", "Keys, addresses, balances and stakes");
  group.require_command();
  auto [show, options] =
      add_view(group, "show", "What an account has", "wallet show miner-1", show_wallet);
  show.add_option("account", options->account,
                  "SS58, hex, a key file or a name of the run's; default: --key");
  auto path = std::make_shared<std::string>();
  const Command make =
      group.add_command("new", "Make a key file (mode 0600) and print its address");
  make.add_option("file", *path, "Where to write it").required();
  make.footer("Example: muster ledger wallet new cold.key");
  make.action([path](const std::atomic<bool>&) -> Result<int> {
    const SigningKey key(random_seed());
    MUSTER_TRY_STATUS(write_key_file(*path, key));
    std::printf("%s\n", address(key.public_key()).c_str());
    return 0;
  });
}

}  // namespace

void add_ledger_views(Command ledger) {
  add_view(ledger, "status", "The chain: block, issuance, stake", "status", show_status);
  auto block = add_view(ledger, "block", "A block and its extrinsics", "block 12", show_block);
  block.first.add_option("number", block.second->number, "Default: the last");
  add_view(ledger, "subnets", "All subnets: prices, pools, emission", "subnets", show_subnets);
  auto metagraph = add_view(ledger, "metagraph", "A subnet's neurons: stake, permits, pay",
                            "metagraph 1 --json", show_metagraph);
  metagraph.first.add_option("netuid", metagraph.second->netuid, "Number of the subnet")
      .show_default();
  add_view(ledger, "halving", "What a block mints, now and later", "halving", show_halving);
  add_wallet(ledger);
}

}  // namespace muster::cli
