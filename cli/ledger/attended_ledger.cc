#include "cli/ledger/attended_ledger.h"

#include <algorithm>
#include <charconv>

#include "base/file.h"
#include "chain/service/neuron_watch.h"
#include "cli/ledger/validator_needs.h"
#include "cli/units.h"

namespace muster::cli {
namespace {

constexpr std::size_t kSpentBytesMax = 32;

Result<std::uint64_t> read_spent(const std::filesystem::path& path) {
  const auto content = read_file(path, kSpentBytesMax);
  if (!content && content.error().code == Errc::kNotFound) return std::uint64_t{0};
  if (!content) return content.error();
  std::uint64_t rao = 0;
  const auto* text = reinterpret_cast<const char*>(content->data());
  if (std::from_chars(text, text + content->size(), rao).ec != std::errc{})
    return Error{
        Errc::kMalformed,
        path.string() + ": no number of rao; write how much was spent on registrations, or 0"};
  return rao;
}

// Something for the log, which is said again when `about` changes.
struct Saying {
  std::string about, text;
};

// What the ledger does not let the node do, and what helps; empty where all is as it should be. How
// many blocks are left until a permit changes with every block, so a validator that waits hears it
// once an epoch.
Saying trouble_of(const protocol::Metagraph& metagraph, const Attendance& attendance) {
  if (attendance.role == Role::kCoordinator) return {};
  const std::string hotkey = "hotkey " + attendance.hotkey.brief() + "…";
  const auto own =
      std::ranges::find(metagraph.neurons, attendance.hotkey, &protocol::Neuron::hotkey);
  if (own == metagraph.neurons.end())
    return {"uid", hotkey +
                       " is not registered on the ledger, so nobody takes anything from it: "
                       "`muster ledger register` with "
                       "its key"};
  if (attendance.role != Role::kValidator) return {};
  std::string text;
  for (const std::string& need : validator_needs(metagraph, *own))
    text += (text.empty() ? hotkey + " (uid " + std::to_string(own->uid.value) +
                                ") may not validate yet. It lacks "
                          : "; and ") +
            need;
  return {"epoch " + std::to_string(metagraph.next_epoch_block), text};
}

}  // namespace

void AttendedLedger::say_once(std::string& said, const std::string& about,
                              const std::string& text) const {
  if (about != said && !text.empty()) attendance_.logger.warning(text);
  said = about;
}

// A hotkey gets stake on a subnet only while it has a uid there, and keeps it without.
bool AttendedLedger::has_stake() const {
  const auto& subnets = ledger_->follower().ledger().state().subnets;
  const auto subnet = subnets.find(ledger_->remote().netuid());
  return subnet != subnets.end() && subnet->second.stake_of(attendance_.hotkey) > 0;
}

Result<bool> AttendedLedger::regain_uid(const protocol::Metagraph& metagraph) {
  if (attendance_.role != Role::kValidator || attendance_.budget_rao == 0) return false;
  const bool is_there = std::ranges::any_of(
      metagraph.neurons, [&](const auto& neuron) { return neuron.hotkey == attendance_.hotkey; });
  if (is_there) return false;
  MUSTER_TRY(const std::uint64_t spent, read_spent(attendance_.spent_file));
  const auto step =
      chain::uid_step(metagraph, attendance_.hotkey, has_stake(), spent, attendance_.budget_rao);
  if (step == chain::UidStep::kTooDear)
    return Error{Errc::kPermission,
                 "lost its uid to another registration; a new one costs " +
                     exact_tao(metagraph.registration_rao) + " TAO, and of --register-budget " +
                     exact_tao(attendance_.budget_rao) + " is spent " + exact_tao(spent)};
  if (step != chain::UidStep::kRegister) return false;
  // Counted before it is spent: a crash in between costs budget, not money.
  const std::string total = std::to_string(spent + metagraph.registration_rao);
  MUSTER_TRY_STATUS(replace_file(attendance_.spent_file, bytes_of(total)));
  MUSTER_TRY_STATUS(ledger_->remote().register_within(metagraph.registration_rao));
  attendance_.logger.warning(
      "lost its uid to another registration and has bought a new one for at most " +
      exact_tao(metagraph.registration_rao) + " TAO");
  return true;
}

Result<protocol::Metagraph> AttendedLedger::metagraph() {
  MUSTER_TRY(auto metagraph, ledger_->metagraph());
  const auto regained = regain_uid(metagraph);
  if (regained && *regained) {
    MUSTER_TRY(metagraph, ledger_->metagraph());
  }
  const Saying trouble = regained ? trouble_of(metagraph, attendance_)
                                  : Saying{regained.error().message, regained.error().message};
  say_once(said_of_own_, trouble.about, trouble.text);
  const std::string warning = chain::permit_warning(metagraph).value_or(std::string());
  say_once(said_of_permits_, warning, warning);
  return metagraph;
}

Result<protocol::LedgerView> AttendedLedger::members_at(std::optional<std::uint64_t> block) {
  if (!block) {
    MUSTER_TRY([[maybe_unused]] const auto attended, metagraph());
  }
  return ledger_->members_at(block);
}

}  // namespace muster::cli
