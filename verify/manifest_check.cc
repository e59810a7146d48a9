#include "verify/manifest_check.h"

#include <algorithm>
#include <bit>
#include <cstdio>

namespace muster::verify {
namespace {

std::string text_of(const Hash& hash) { return hash.hex().substr(0, 16); }
std::string text_of(bool value) { return value ? "yes" : "no"; }
std::string text_of(std::uint64_t value) { return std::to_string(value); }
std::string text_of(double value) {
  char text[40];
  std::snprintf(text, sizeof(text), "%.9g", value);
  return text;
}
std::string text_of(const std::vector<protocol::Standing>& standings) {
  std::string text;
  for (const auto& standing : standings)
    text +=
        (text.empty() ? "" : " ") + std::to_string(standing.value) + (standing.proven ? "" : "n");
  return text;
}
std::string text_of(const std::vector<protocol::RecordedScreen>& screens) {
  std::string text;
  for (const auto& screen : screens)
    text += (text.empty() ? "" : " ") + std::to_string(screen.validator.value) + ":" +
            std::to_string(screen.opened) + ":" + text_of(screen.assessment);
  return text;
}
std::string text_of(const std::vector<protocol::Contradiction>& contradictions) {
  std::string text;
  for (const auto& [by, of] : contradictions)
    text += (text.empty() ? "" : " ") + std::to_string(by.value) + ">" + std::to_string(of.value);
  return text;
}
std::string text_of(protocol::OutcomeCode code) { return std::string(name_of(code)); }

template <class T>
bool identical(const T& a, const T& b) {
  if constexpr (std::same_as<T, double>) {
    return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
  } else {
    return a == b;
  }
}

class Comparison {
 public:
  Comparison(const ManifestCheck& check, AuditReport& report) : check_(check), report_(report) {}

  template <class T>
  bool same(Check kind, const std::string& what, const T& expected, const T& found) {
    if (identical(expected, found)) {
      report_.hold(kind);
      return true;
    }
    fail(kind, what, text_of(expected), text_of(found));
    return false;
  }
  void fail(Check kind, const std::string& what, std::string expected, std::string found) {
    report_.fail({kind, check_.round, check_.signer, "Manifest: " + what, std::move(expected),
                  std::move(found)});
  }

  void outcomes() {
    const auto& expected = check_.expected_record.outcomes;
    const auto& found = check_.found_record.outcomes;
    if (!std::equal(expected.begin(), expected.end(), found.begin(), found.end(),
                    [](const auto& a, const auto& b) { return a.uid == b.uid; })) {
      return fail(Check::kTally, "outcomes of other miners than the roster's",
                  text_of(std::uint64_t{expected.size()}), text_of(std::uint64_t{found.size()}));
    }
    for (std::size_t i = 0; i < expected.size(); ++i) outcome(expected[i], found[i]);
  }

 private:
  void outcome(const protocol::Outcome& expected, const protocol::Outcome& found) {
    const std::string of = " of uid " + std::to_string(expected.uid.value);
    if (same(Check::kTally, "outcome" + of, expected.code, found.code)) {
      same(Check::kTally, "payload" + of, expected.payload_id, found.payload_id);
      same(Check::kTally, "arrival" + of, std::uint64_t{expected.arrival_ms},
           std::uint64_t{found.arrival_ms});
    }
    same(Check::kTally, "standing" + of, std::uint64_t{expected.standing},
         std::uint64_t{found.standing});
    same(Check::kTally, "being proven" + of, expected.proven, found.proven);
    same(Check::kClipping, "norm" + of, expected.norm, found.norm);
    same(Check::kClipping, "weight" + of, static_cast<double>(expected.weight),
         static_cast<double>(found.weight));
  }

  const ManifestCheck& check_;
  AuditReport& report_;
};

}  // namespace

bool check_manifest(const ManifestCheck& check, AuditReport& report) {
  Comparison compare(check, report);
  const auto& expected = check.expected;
  const auto& found = check.found;
  compare.same(Check::kCloses, "RoundOpen that it names", expected.open_hash, found.open_hash);
  compare.same(Check::kCloses, "RevealsClosed that it names", expected.reveals_hash,
               found.reveals_hash);
  compare.same(Check::kCloses, "commit root", expected.commit_root, found.commit_root);
  compare.outcomes();
  // Outcomes that differ are named one by one already; what is left is what the manifest itself
  // says.
  if (expected.codes == found.codes) {
    compare.same(Check::kTally, "record of outcomes, Screens and evidence", expected.record_id,
                 found.record_id);
    compare.same(Check::kTally, "that most showed their keys", expected.most_revealed,
                 found.most_revealed);
    compare.same(Check::kTally, "tail of arrivals", std::uint64_t{expected.tail_ms.value_or(0)},
                 std::uint64_t{found.tail_ms.value_or(0)});
    compare.same(Check::kTally, "standings", expected.standings, found.standings);
    compare.same(Check::kTally, "Screens, and how many assessments each opens", expected.screens,
                 found.screens);
    compare.same(Check::kTally, "contradictions between validators", expected.contradictions,
                 found.contradictions);
    compare.same(Check::kTally, "median loss drop",
                 static_cast<double>(expected.median_drop_e6.value_or(0)),
                 static_cast<double>(found.median_drop_e6.value_or(0)));
  }
  const bool same_kind =
      compare.same(Check::kTally, "is a null round", expected.null_round, found.null_round);
  compare.same(Check::kClipping, "median norm", expected.median_norm, found.median_norm);
  compare.same(Check::kClipping, "clip norm", expected.clip_norm, found.clip_norm);
  compare.same(Check::kRosters, "next beacon", expected.next_beacon, found.next_beacon);
  compare.same(Check::kRosters, "next epoch", expected.next_epoch, found.next_epoch);
  compare.same(Check::kRosters, "next data cursor", expected.next_cursor, found.next_cursor);
  bool same_state = compare.same(Check::kStateIds, "state id before", expected.state_id_before,
                                 found.state_id_before) &&
                    same_kind;
  // In a null round both are known without payloads: no aggregate, and the state stays.
  if (!check.aggregate_known && !expected.null_round) return same_state;
  same_state =
      compare.same(Check::kAggregates, "aggregate", expected.aggregate_id, found.aggregate_id) &&
      same_state;
  return compare.same(Check::kStateIds, "state id after", expected.state_id_after,
                      found.state_id_after) &&
         same_state;
}

}  // namespace muster::verify
