// Cases of schedule/1: when epochs run, when commits are revealed, how mechanisms share an
// emission.
#include "chain/economy/schedule.h"
#include "chain/yuma/mechanism.h"
#include "tests/chain/vectors/dispatch.h"
#include "tests/chain/vectors/families.h"

namespace muster::chain::vectors {
namespace {

EpochClock clock_of(const json& test) {
  EpochClock clock;
  clock.tempo = u16(test, "tempo");
  clock.last_epoch_block = u64(test, "last_epoch_block");
  clock.pending_epoch_at = u64(test, "pending_epoch_at");
  if (test.contains("blocks_since_last_step"))
    clock.blocks_since_last_step = u64(test, "blocks_since_last_step");
  return clock;
}

Verdict next_epoch(const json& test) {
  Verdict verdict;
  const json& expected = member(test, "expected");
  const auto got = next_epoch_block(clock_of(test));
  verdict.equal("expected", expected.is_null() ? -1 : Int128{u64(test, "expected")},
                got ? Int128{*got} : -1);
  return verdict;
}

Verdict due(const json& test) {
  Verdict verdict;
  verdict.equal("expected", flag(test, "expected"),
                is_epoch_due(clock_of(test), u64(test, "current_block")));
  return verdict;
}

Verdict cutoff(const json& test) {
  Verdict verdict;
  verdict.equal(
      "expected", u64(test, "expected"),
      activity_cutoff_blocks(integer<std::uint32_t>(test, "factor_milli"), u16(test, "tempo")));
  return verdict;
}

Verdict reveal(const json& test) {
  Verdict verdict;
  const auto commit = u64(test, "commit_epoch");
  const auto period = u64(test, "reveal_period");
  const auto epoch = u64(test, "current_epoch");
  verdict.equal("in_window", flag(test, "in_window"), is_in_reveal_window(commit, period, epoch));
  verdict.equal("expired", flag(test, "expired"), is_commit_expired(commit, period, epoch));
  return verdict;
}

Verdict index(const json& test) {
  Verdict verdict;
  verdict.equal("expected", u16(test, "expected"),
                mechanism_index(u16(test, "netuid"), integer<std::uint8_t>(test, "mecid")));
  return verdict;
}

Verdict split(const json& test) {
  Verdict verdict;
  std::optional<std::vector<std::uint16_t>> parts;
  if (!member(test, "split").is_null()) parts = integers<std::uint16_t>(test, "split");
  verdict.equal("expected", integers<std::uint64_t>(test, "expected"),
                split_emission(u64(test, "total"), integer<std::uint8_t>(test, "count"), parts));
  return verdict;
}

}  // namespace

Verdict check_schedule_case(const json& test) {
  static const Checks kChecks{{"next_epoch_start_block", next_epoch},
                              {"should_run_epoch", due},
                              {"activity_cutoff_blocks", cutoff},
                              {"reveal_window", reveal},
                              {"mechanism_index", index},
                              {"mechanism_emission_split", split}};
  return dispatch(kChecks, test, "kind");
}

}  // namespace muster::chain::vectors
