// A campaign's figures as a table for people, as JSON, as a Markdown table for docs, and as a page
// with plots.
//
// Thread safety: pure functions.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sim/attacks/campaign.h"
#include "sim/attacks/protocol_attacks.h"

namespace muster::cli {

// All that a campaign found: attacks on the content, and on the protocol.
struct AttackFindings {
  sim::CampaignFigures content;
  std::vector<sim::Career> careers;  // behind them, for the loss over rounds
  std::vector<sim::ProtocolFigures> protocol;
  // What misses its target, in words.
  [[nodiscard]] std::vector<std::string> missed() const;
};

[[nodiscard]] std::string attack_tables(const AttackFindings& findings, bool markdown);
[[nodiscard]] nlohmann::ordered_json attack_json(const AttackFindings& findings);
// `command`: how the page was made.
[[nodiscard]] std::string attack_page(const AttackFindings& findings, const std::string& command);

}  // namespace muster::cli
