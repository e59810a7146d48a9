// The ledger commands that change something: each signs one call.
#include <cmath>
#include <cstdio>

#include "chain/codec/commit_hash.h"
#include "chain/yuma/mechanism.h"
#include "cli/ledger/ledger_access.h"
#include "cli/ledger/ledger_commands.h"
#include "cli/units.h"

namespace muster::cli {
namespace {

using chain::Netuid;
using chain::RuntimeCall;

struct CallOptions : LedgerAccess {
  Netuid netuid = 0, to_netuid = 0;
  std::string amount, hotkey, account, to_hotkey, limit;
  double take = 0;
  std::vector<std::string> weights;
  std::uint64_t salt = 0, version_key = 0;
};

// A subcommand whose call is made of its options.
using MakeCall = std::function<Result<RuntimeCall>(const CallOptions&)>;
std::pair<Command, std::shared_ptr<CallOptions>> add_call(Command parent, const char* name,
                                                          const char* text,
                                                          const std::string& example,
                                                          MakeCall make) {
  auto options = std::make_shared<CallOptions>();
  const Command command = parent.add_command(name, text);
  add_ledger_access(command, *options);
  command.footer("Example: muster ledger " + example);
  command.action([options, make](const std::atomic<bool>& stop) -> Result<int> {
    MUSTER_TRY(const RuntimeCall call, make(*options));
    return submit_and_wait(*options, call, stop);
  });
  return {command, options};
}

// The named hotkey; without a name that of the signing key.
Result<PublicKey> hotkey_of(const CallOptions& options) {
  return account_named(options, options.hotkey.empty() ? options.key : options.hotkey);
}

Result<std::uint16_t> take_of(double percent) {
  if (!(percent >= 0 && percent <= 100))
    return Error{Errc::kInvalidArgument, "a take is from 0 to 100 percent"};
  return static_cast<std::uint16_t>(std::lround(percent / 100 * 65535));
}

struct UidWeights {
  std::vector<std::uint16_t> uids, weights;
};

// "0=65535", "3=1200", …
Result<UidWeights> uid_weights(const std::vector<std::string>& texts) {
  UidWeights result;
  for (const std::string& text : texts) {
    unsigned uid = 0, weight = 0;
    int used = 0;
    if (std::sscanf(text.c_str(), "%5u=%5u%n", &uid, &weight, &used) != 2 ||
        static_cast<std::size_t>(used) != text.size() || uid > 65535 || weight > 65535)
      return Error{Errc::kInvalidArgument,
                   "'" + text + "': write weights as UID=WEIGHT, both from 0 to 65535"};
    result.uids.push_back(static_cast<std::uint16_t>(uid));
    result.weights.push_back(static_cast<std::uint16_t>(weight));
  }
  return result;
}

std::vector<std::uint16_t> salt_words(std::uint64_t salt) {
  std::vector<std::uint16_t> words;
  for (int i = 0; i < 4; ++i, salt >>= 16) words.push_back(static_cast<std::uint16_t>(salt));
  return words;
}

void add_netuid(Command command, Netuid& netuid) {
  command.add_option("netuid", netuid, "Number of the subnet").required();
}

void add_hotkey(Command command, CallOptions& options, const char* text) {
  command.add_option("--hotkey", options.hotkey, text);
}

}  // namespace

void add_transfer(Command ledger) {
  auto [command, options] =
      add_call(ledger, "transfer", "Send TAO to an account", "transfer 5Grw… 12.5 --key cold.key",
               [](const CallOptions& o) -> Result<RuntimeCall> {
                 MUSTER_TRY(const PublicKey to, account_named(o, o.account));
                 MUSTER_TRY(const std::uint64_t rao, parse_rao(o.amount));
                 return RuntimeCall{chain::TransferKeepAlive{{to}, {rao}}};
               });
  command.add_option("to", options->account, "Who gets it").required();
  command.add_option("tao", options->amount, "How much").required();
}

void add_subnet(Command ledger) {
  const Command group = ledger.add_command("subnet", "Make a subnet, and start its emission");
  group.require_command();
  auto create = add_call(group, "create", "Lock TAO for a new subnet",
                         "subnet create --hotkey hot.key --key cold.key",
                         [](const CallOptions& o) -> Result<RuntimeCall> {
                           MUSTER_TRY(const PublicKey hotkey, hotkey_of(o));
                           return RuntimeCall{chain::RegisterNetwork{hotkey}};
                         });
  add_hotkey(create.first, *create.second, "The owner's hotkey, uid 0; default: the signing key");
  auto start = add_call(group, "start", "Start emission, once, by the owner", "subnet start 2",
                        [](const CallOptions& o) -> Result<RuntimeCall> {
                          return RuntimeCall{chain::StartCall{o.netuid}};
                        });
  add_netuid(start.first, start.second->netuid);
}

void add_stake(Command ledger) {
  const Command group = ledger.add_command("stake", "Stake TAO behind hotkeys, and take it back");
  group.require_command();
  auto add =
      add_call(group, "add", "TAO into alpha of a subnet", "stake add 1 100 --hotkey 5Grw…",
               [](const CallOptions& o) -> Result<RuntimeCall> {
                 MUSTER_TRY(const PublicKey hotkey, hotkey_of(o));
                 MUSTER_TRY(const std::uint64_t rao, parse_rao(o.amount));
                 if (o.limit.empty()) return RuntimeCall{chain::AddStake{hotkey, o.netuid, rao}};
                 MUSTER_TRY(const std::uint64_t limit, parse_rao(o.limit));
                 return RuntimeCall{chain::AddStakeLimit{hotkey, o.netuid, rao, limit, false}};
               });
  auto remove =
      add_call(group, "remove", "Alpha of a subnet into TAO", "stake remove 1 100 --hotkey 5Grw…",
               [](const CallOptions& o) -> Result<RuntimeCall> {
                 MUSTER_TRY(const PublicKey hotkey, hotkey_of(o));
                 if (o.amount == "all")
                   return RuntimeCall{chain::RemoveStakeFullLimit{hotkey, o.netuid, std::nullopt}};
                 MUSTER_TRY(const std::uint64_t alpha, parse_rao(o.amount));
                 if (o.limit.empty())
                   return RuntimeCall{chain::RemoveStake{hotkey, o.netuid, alpha}};
                 MUSTER_TRY(const std::uint64_t limit, parse_rao(o.limit));
                 return RuntimeCall{chain::RemoveStakeLimit{hotkey, o.netuid, alpha, limit, false}};
               });
  for (auto& [command, options] : {add, remove}) {
    add_netuid(command, options->netuid);
    command.add_option("amount", options->amount, options == add.second ? "TAO" : "Alpha, or 'all'")
        .required();
    add_hotkey(command, *options, "Behind whom; default: the signing key");
    command.add_option("--limit", options->limit,
                       "Worst price in TAO per alpha; else nothing is done");
  }
  auto move = add_call(
      group, "move", "Alpha to another hotkey or subnet",
      "stake move 1 2 50 --hotkey 5Grw… --to-hotkey 5Fxx…",
      [](const CallOptions& o) -> Result<RuntimeCall> {
        MUSTER_TRY(const PublicKey from, hotkey_of(o));
        MUSTER_TRY(const PublicKey to,
                   account_named(o, o.to_hotkey.empty() ? (o.hotkey.empty() ? o.key : o.hotkey)
                                                        : o.to_hotkey));
        MUSTER_TRY(const std::uint64_t alpha, parse_rao(o.amount));
        return RuntimeCall{chain::MoveStake{from, to, o.netuid, o.to_netuid, alpha}};
      });
  add_netuid(move.first, move.second->netuid);
  move.first.add_option("to_netuid", move.second->to_netuid, "Subnet that it goes to").required();
  move.first.add_option("amount", move.second->amount, "Alpha of the first subnet").required();
  add_hotkey(move.first, *move.second, "Behind whom it is; default: the signing key");
  move.first.add_option("--to-hotkey", move.second->to_hotkey,
                        "Behind whom it goes; default: the same");
}

void add_delegate(Command ledger) {
  const Command group =
      ledger.add_command("delegate", "What a hotkey keeps of its nominators' dividends");
  group.require_command();
  for (const bool up : {false, true}) {
    auto [command, options] =
        add_call(group, up ? "increase" : "decrease", up ? "Take more" : "Take less",
                 std::string("delegate ") + (up ? "increase 18" : "decrease 9"),
                 [up](const CallOptions& o) -> Result<RuntimeCall> {
                   MUSTER_TRY(const PublicKey hotkey, hotkey_of(o));
                   MUSTER_TRY(const std::uint16_t take, take_of(o.take));
                   if (up) return RuntimeCall{chain::IncreaseTake{hotkey, take}};
                   return RuntimeCall{chain::DecreaseTake{hotkey, take}};
                 });
    command.add_option("percent", options->take, "The new take, from 0 to 18").required();
    add_hotkey(command, *options, "Whose; default: the signing key");
  }
}

void add_weights(Command ledger) {
  const Command group =
      ledger.add_command("weights", "A validator's weights: at once, or committed first");
  group.require_command();
  auto set = add_call(group, "set", "Where commit-reveal is off",
                      "weights set 1 0=65535 3=1200 --key hot.key",
                      [](const CallOptions& o) -> Result<RuntimeCall> {
                        MUSTER_TRY(auto w, uid_weights(o.weights));
                        return RuntimeCall{chain::SetWeights{o.netuid, std::move(w.uids),
                                                             std::move(w.weights), o.version_key}};
                      });
  auto commit = add_call(group, "commit", "A hash of them, to be revealed in the next epoch",
                         "weights commit 1 0=65535 --salt 123456 --key hot.key",
                         [](const CallOptions& o) -> Result<RuntimeCall> {
                           MUSTER_TRY(const auto w, uid_weights(o.weights));
                           MUSTER_TRY(const PublicKey hotkey, account_named(o, o.key));
                           return RuntimeCall{chain::CommitWeights{
                               o.netuid, chain::weights_commit_hash(
                                             hotkey, chain::mechanism_index(o.netuid, 0), w.uids,
                                             w.weights, salt_words(o.salt), o.version_key)}};
                         });
  auto reveal = add_call(
      group, "reveal", "What was committed", "weights reveal 1 0=65535 --salt 123456 --key hot.key",
      [](const CallOptions& o) -> Result<RuntimeCall> {
        MUSTER_TRY(auto w, uid_weights(o.weights));
        return RuntimeCall{chain::RevealWeights{o.netuid, std::move(w.uids), std::move(w.weights),
                                                salt_words(o.salt), o.version_key}};
      });
  for (auto& [command, options] : {set, commit, reveal}) {
    add_netuid(command, options->netuid);
    command.add_option("weights", options->weights, "UID=WEIGHT, …").required();
    command.add_option("--version-key", options->version_key, "At least the subnet's")
        .show_default();
  }
  for (auto& [command, options] : {commit, reveal})
    command
        .add_option("--salt", options->salt,
                    "A number that nobody guesses, the same for commit and reveal")
        .required();
}

}  // namespace muster::cli
