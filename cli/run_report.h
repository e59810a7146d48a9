// RunReport: what the nodes' events say about a run, round by round and as a whole.
//
// Thread safety: none.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cli/event_log.h"
#include "protocol/ledger_client.h"

namespace muster::cli {

struct MinerIdentity {
  std::string name;
  std::string behaviour;  // honest, noise, replay, wrong-data
  PublicKey hotkey;
  [[nodiscard]] bool honest() const { return behaviour == "honest"; }
};

class RunReport {
 public:
  explicit RunReport(std::vector<MinerIdentity> miners) : miners_(std::move(miners)) {}

  void take(const std::string& node, const nlohmann::json& event);
  // Lines for rounds that have become complete since the last call.
  [[nodiscard]] std::vector<std::string> new_lines(std::uint32_t rounds);
  [[nodiscard]] static std::string header();

  [[nodiscard]] std::vector<std::string> state_root_conflicts() const;
  [[nodiscard]] const std::vector<std::string>& disputes() const { return disputes_; }
  // How many rounds any node has told of.
  [[nodiscard]] std::size_t rounds_seen() const { return rounds_.size(); }
  // How many rounds, from the first on, some node has applied.
  [[nodiscard]] std::size_t rounds_done() const;
  [[nodiscard]] std::optional<double> loss_first() const;
  [[nodiscard]] std::optional<double> loss_last() const;
  // The summary for report.json; metagraph: the ledger at the end.
  [[nodiscard]] nlohmann::ordered_json summary(const protocol::Metagraph& metagraph,
                                               std::uint64_t parameters) const;

 private:
  struct RoundFacts {
    std::optional<double> held_out;
    std::int64_t accepted = 0;
    std::int64_t first_start_ms = 0, last_end_ms = 0;  // of honest miners' training
    std::int64_t train_ms = 0;                         // longest of them
    std::int64_t bytes_up = 0, bytes_down = 0, reports = 0;
    std::map<std::string, std::string> theta_roots;  // by node, as first seen
  };
  struct MinerFacts {
    std::int64_t accepted = 0, rejected = 0;
  };
  void take_rating(const std::string& node, const nlohmann::json& event);
  [[nodiscard]] bool is_honest(const std::string& node) const;
  [[nodiscard]] std::optional<double> overhead_before(std::int64_t round) const;
  [[nodiscard]] double mean_rating(const PublicKey& hotkey) const;

  std::vector<MinerIdentity> miners_;
  std::map<std::int64_t, RoundFacts> rounds_;
  std::map<std::string, MinerFacts> miner_facts_;
  std::map<std::string, std::int64_t> evaluations_;  // of a hotkey, the most that a validator has
  std::map<std::pair<std::string, std::string>, double> ratings_;  // (validator, hotkey) -> mean z
  std::vector<std::string> disputes_;
  std::vector<std::string> repairs_;  // nodes that were at another state for a while
  std::int64_t printed_ = 0;
};

}  // namespace muster::cli
