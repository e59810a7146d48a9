#include "cli/ledger/attended_ledger.h"

#include <algorithm>
#include <charconv>

#include "base/file.h"
#include "chain/service/neuron_watch.h"
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
    return Error{Errc::kMalformed, path.string() + ": no number of rao; write how much was spent on registrations, or 0"};
  return rao;
}

// What the ledger says of the node itself; empty when it is what it should be.
std::string trouble_of(const protocol::Metagraph& metagraph, const Attendance& attendance) {
  const auto own = std::ranges::find(metagraph.neurons, attendance.hotkey, &protocol::Neuron::hotkey);
  const std::string wanted(name_of(attendance.role));
  if (own == metagraph.neurons.end())
    return "hotkey " + attendance.hotkey.brief() + "… is not registered on the ledger, so nobody takes anything from it: `muster "
           "ledger register --role " + wanted + "` with its key";
  if (own->role != attendance.role)
    return "hotkey " + attendance.hotkey.brief() + "… (uid " + std::to_string(own->uid.value) + ") is a " +
           std::string(name_of(own->role)) + " on the ledger and a " + wanted + " here: `muster ledger register --role " +
           wanted + "` with its key";
  return {};
}

}  // namespace

void AttendedLedger::say_once(std::string& said, const std::string& text) const {
  if (text != said && !text.empty()) attendance_.logger.warning(text);
  said = text;
}

Result<bool> AttendedLedger::regain_uid(const protocol::Metagraph& metagraph) {
  if (attendance_.role != Role::kValidator || attendance_.budget_rao == 0) return false;
  const bool is_there = std::ranges::any_of(
      metagraph.neurons, [&](const auto& neuron) { return neuron.hotkey == attendance_.hotkey; });
  if (is_there) return false;
  MUSTER_TRY(const auto account, ledger_->remote().account(attendance_.hotkey));
  MUSTER_TRY(const std::uint64_t spent, read_spent(attendance_.spent_file));
  const bool was_validator =
      std::ranges::find(account.validates, ledger_->remote().netuid()) != account.validates.end();
  const auto step = chain::uid_step(metagraph, attendance_.hotkey, was_validator, spent, attendance_.budget_rao);
  if (step == chain::UidStep::kTooDear)
    return Error{Errc::kPermission, "lost its uid to another registration; a new one costs " +
                                        exact_tao(metagraph.registration_rao) + " TAO, and of --register-budget " +
                                        exact_tao(attendance_.budget_rao) + " is spent " + exact_tao(spent)};
  if (step != chain::UidStep::kRegister) return false;
  // Counted before it is spent: a crash in between costs budget, not money.
  const std::string total = std::to_string(spent + metagraph.registration_rao);
  MUSTER_TRY_STATUS(replace_file(attendance_.spent_file, bytes_of(total)));
  MUSTER_TRY_STATUS(ledger_->remote().register_within(metagraph.registration_rao));
  attendance_.logger.warning("lost its uid to another registration and has bought a new one for at most " +
                             exact_tao(metagraph.registration_rao) + " TAO");
  return true;
}

Result<protocol::Metagraph> AttendedLedger::metagraph() {
  MUSTER_TRY(auto metagraph, ledger_->metagraph());
  const auto regained = regain_uid(metagraph);
  if (regained && *regained) {
    MUSTER_TRY(metagraph, ledger_->metagraph());
  }
  say_once(said_of_uid_, regained ? trouble_of(metagraph, attendance_) : regained.error().message);
  say_once(said_of_permits_, chain::permit_warning(metagraph).value_or(std::string()));
  return metagraph;
}

Result<protocol::LedgerView> AttendedLedger::members_at(std::optional<std::uint64_t> block) {
  if (!block) {
    MUSTER_TRY([[maybe_unused]] const auto attended, metagraph());
  }
  return ledger_->members_at(block);
}

}  // namespace muster::cli
