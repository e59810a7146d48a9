#include "cli/run_report.h"

#include <algorithm>
#include <cstdio>

namespace muster::cli {
namespace {

template <class... Values>
std::string format(const char* pattern, Values... values) {
  char line[256];
  std::snprintf(line, sizeof(line), pattern, values...);
  return line;
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

bool RunReport::is_honest(const std::string& node) const {
  return std::any_of(miners_.begin(), miners_.end(),
                     [&](const auto& miner) { return miner.name == node && miner.honest(); });
}

void RunReport::take(const std::string& node, const nlohmann::json& event) {
  const std::string kind = event.value("event", "");
  if (kind == "dispute") disputes_.push_back(node + ": " + event.value("reason", ""));
  if (kind == "rating") take_rating(node, event);
  if (!event.contains("round")) return;
  const auto number = event.value("round", std::int64_t{0});
  RoundFacts& round = rounds_[number];
  if (event.contains("theta_root")) {
    const auto root = event.value("theta_root", "");
    const auto& first = round.theta_roots.try_emplace(node, root).first->second;
    if (first != root)
      repairs_.push_back("round " + std::to_string(number) + ": " + node + " had " +
                         first.substr(0, 16) + " and later " + root.substr(0, 16));
  }
  if (kind == "held_out") {
    round.held_out = event.value("loss", 0.0);
  } else if (kind == "trained" && is_honest(node)) {
    const auto start = event.value("start_ms", std::int64_t{0});
    const auto end = event.value("end_ms", std::int64_t{0});
    if (round.first_start_ms == 0 || start < round.first_start_ms) round.first_start_ms = start;
    round.last_end_ms = std::max(round.last_end_ms, end);
    round.train_ms = std::max(round.train_ms, end - start);
  } else if (kind == "round") {
    MinerFacts& facts = miner_facts_[node];
    if (event.value("outcome", "") == "accepted") {
      ++facts.accepted;
      ++round.accepted;
    } else if (event.value("in_roster", std::int64_t{0}) == 1) {
      ++facts.rejected;
    }
    round.bytes_up += event.value("bytes_up", std::int64_t{0});
    round.bytes_down += event.value("bytes_down", std::int64_t{0});
    ++round.reports;
  }
}

// Seconds from the last honest inner step of the round before to the first of `round`.
std::optional<double> RunReport::overhead_before(std::int64_t round) const {
  const auto before = rounds_.find(round - 1), now = rounds_.find(round);
  if (before == rounds_.end() || now == rounds_.end() || before->second.last_end_ms == 0 ||
      now->second.first_start_ms == 0)
    return std::nullopt;
  return static_cast<double>(now->second.first_start_ms - before->second.last_end_ms) / 1000;
}

std::string RunReport::header() {
  return " round   held-out  accepted   KB up   KB down   train s   rest s   state root";
}

std::vector<std::string> RunReport::new_lines(std::uint32_t rounds) {
  std::vector<std::string> lines;
  for (;; ++printed_) {
    const auto found = rounds_.find(printed_);
    if (found == rounds_.end()) return lines;
    const RoundFacts& round = found->second;
    const auto everybody = static_cast<std::int64_t>(miners_.size());
    const auto next = rounds_.find(printed_ + 1);
    const bool overtaken = next != rounds_.end() && next->second.held_out;
    if (!round.held_out || (round.reports < everybody && !overtaken)) return lines;
    const auto overhead = overhead_before(printed_);
    const auto reports = static_cast<double>(std::max<std::int64_t>(round.reports, 1));
    lines.push_back(format(
        "%3lld/%-3u   %7.4f   %4lld/%-3lld  %7.1f  %7.1f   %7.2f  %7s   %s",
        static_cast<long long>(printed_ + 1), rounds, *round.held_out,
        static_cast<long long>(round.accepted), static_cast<long long>(everybody),
        static_cast<double>(round.bytes_up) / reports / 1000,
        static_cast<double>(round.bytes_down) / reports / 1000,
        static_cast<double>(round.train_ms) / 1000,
        overhead ? format("%.2f", *overhead).c_str() : "-",
        round.theta_roots.empty() ? "-" : round.theta_roots.begin()->second.substr(0, 16).c_str()));
  }
}

std::vector<std::string> RunReport::state_root_conflicts() const {
  std::vector<std::string> conflicts = repairs_;
  for (const auto& [number, round] : rounds_) {
    for (const auto& [node, root] : round.theta_roots) {
      const auto& [first_node, first_root] = *round.theta_roots.begin();
      if (root != first_root)
        conflicts.push_back("round " + std::to_string(number) + ": " + node + " has " +
                            root.substr(0, 16) + ", " + first_node + " " +
                            first_root.substr(0, 16));
    }
  }
  return conflicts;
}

void RunReport::take_rating(const std::string& node, const nlohmann::json& event) {
  const std::string hotkey = event.value("hotkey", "");
  ratings_[{node, hotkey}] = event.value("mean", 0.0);
  auto& evaluations = evaluations_[hotkey];
  evaluations = std::max(evaluations, event.value("evaluations", std::int64_t{0}));
}

std::size_t RunReport::rounds_done() const {
  std::size_t done = 0;
  for (const auto& [number, round] : rounds_)
    if (!round.theta_roots.empty()) done = static_cast<std::size_t>(number) + 1;
  return done;
}

std::optional<double> RunReport::loss_first() const {
  for (const auto& [number, round] : rounds_)
    if (round.held_out) return round.held_out;
  return std::nullopt;
}

std::optional<double> RunReport::loss_last() const {
  for (auto it = rounds_.rbegin(); it != rounds_.rend(); ++it)
    if (it->second.held_out) return it->second.held_out;
  return std::nullopt;
}

double RunReport::mean_rating(const PublicKey& hotkey) const {
  double sum = 0;
  int count = 0;
  for (const auto& [key, mean] : ratings_) {
    if (key.second != hotkey.hex()) continue;
    sum += mean;
    ++count;
  }
  return count == 0 ? 0 : sum / count;
}

nlohmann::ordered_json RunReport::summary(const protocol::Metagraph& metagraph,
                                          std::uint64_t parameters) const {
  std::vector<double> overheads, train, up, down;
  for (const auto& [number, round] : rounds_) {
    if (const auto overhead = overhead_before(number)) overheads.push_back(*overhead);
    if (round.train_ms > 0) train.push_back(static_cast<double>(round.train_ms) / 1000);
    if (round.reports == 0) continue;
    const double share = static_cast<double>(round.reports) * static_cast<double>(parameters);
    up.push_back(static_cast<double>(round.bytes_up) / share);
    down.push_back(static_cast<double>(round.bytes_down) / share);
  }
  auto mean = [](const std::vector<double>& values) {
    double sum = 0;
    for (double value : values) sum += value;
    return values.empty() ? 0 : sum / static_cast<double>(values.size());
  };
  nlohmann::ordered_json report;
  report["rounds"] = rounds_.size();
  report["parameters"] = parameters;
  report["loss_first"] = loss_first().value_or(0);
  report["loss_last"] = loss_last().value_or(0);
  report["train_s"] = mean(train) * static_cast<double>(train.size());
  report["overhead_s_per_round"] = median(overheads);
  report["bytes_up_per_parameter"] = mean(up);
  report["bytes_down_per_parameter"] = mean(down);
  report["state_roots_agree"] = state_root_conflicts().empty();
  report["miners"] = nlohmann::ordered_json::array();
  for (const MinerIdentity& miner : miners_) {
    nlohmann::ordered_json row{{"name", miner.name}};
    for (const auto& neuron : metagraph.neurons) {
      if (neuron.hotkey != miner.hotkey) continue;
      const auto facts = miner_facts_.find(miner.name);
      row["uid"] = neuron.uid.value;
      row["hotkey"] = miner.hotkey.hex();
      row["behaviour"] = miner.behaviour;
      row["score"] = mean_rating(miner.hotkey);
      const auto evaluations = evaluations_.find(miner.hotkey.hex());
      row["evaluations"] = evaluations == evaluations_.end() ? 0 : evaluations->second;
      row["weight"] = neuron.incentive;
      row["earned"] = static_cast<double>(neuron.earned) / 1e9;
      row["rounds_accepted"] = facts == miner_facts_.end() ? 0 : facts->second.accepted;
      row["rounds_rejected"] = facts == miner_facts_.end() ? 0 : facts->second.rejected;
    }
    report["miners"].push_back(row);
  }
  return report;
}

}  // namespace muster::cli
