// A campaign's figures as a table for people, as JSON, as a Markdown table for docs, and as a page with plots.
//
// Thread safety: pure functions.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sim/attacks/campaign.h"

namespace muster::cli {

struct NamedReport {
  sim::CampaignJob job;
  sim::LabReport report;
};

[[nodiscard]] std::string attack_table(const sim::CampaignFigures& figures, bool markdown);
[[nodiscard]] nlohmann::ordered_json attack_json(const sim::CampaignFigures& figures);
// `reports`: for the loss over rounds; `command`: how the page was made.
[[nodiscard]] std::string attack_page(const sim::CampaignFigures& figures,
                                      const std::vector<NamedReport>& reports, const std::string& command);

}  // namespace muster::cli
