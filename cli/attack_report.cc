#include "cli/attack_report.h"

#include <algorithm>
#include <cstdio>

#include "cli/svg_chart.h"

namespace muster::cli {
namespace {

using nlohmann::ordered_json;
using sim::AttackFigures;
using sim::CampaignFigures;

std::string name_of(const AttackFigures& figures) {
  return figures.attack == nullptr ? "honest" : std::string(figures.attack->name);
}

std::string format(const char* pattern, double value) {
  char text[48];
  std::snprintf(text, sizeof(text), pattern, value);
  return text;
}

std::string percent(double share) { return format("%.0f %%", 100 * share); }

std::string limit_of(const AttackFigures& figures) {
  return figures.attack == nullptr ? "" : percent(figures.pay_limit());
}

std::vector<std::uint32_t> shares_of(const CampaignFigures& figures) {
  std::vector<std::uint32_t> shares;
  for (const auto& [share, loss] : figures.loss) shares.push_back(share);
  return shares;
}

using Row = std::vector<std::string>;

std::vector<Row> rows_of(const CampaignFigures& figures) {
  std::vector<Row> rows{{"attack", "work", "screened", "gated", "unpaid", "score", "share", "pay",
                         "worst", "limit", "settles", "seeds"}};
  auto add = [&](const AttackFigures& row) {
    if (row.seeds == 0) return;
    rows.push_back({name_of(row), percent(row.work), percent(row.screened), percent(row.gated),
                    percent(row.unpaid), format("%.2f", row.score), percent(row.share),
                    percent(row.pay), percent(row.pay_worst), limit_of(row),
                    row.attack == nullptr ? "" : format("%.1f", row.settles),
                    std::to_string(row.seeds)});
  };
  add(figures.honest);
  for (const AttackFigures& row : figures.attacks) add(row);
  return rows;
}

std::vector<Row> harm_rows_of(const CampaignFigures& figures) {
  std::vector<Row> rows{
      {"attack", "attackers", "loss", "pay", "victim loses", "honest unpaid", "seeds"}};
  for (const AttackFigures& row : figures.attacks)
    for (const auto& [share, harm] : row.harm)
      rows.push_back({name_of(row), std::to_string(share) + " %",
                      format("%+.1f %%", 100 * harm.loss), percent(harm.pay), percent(harm.victim),
                      std::to_string(harm.honest_unpaid), std::to_string(harm.seeds)});
  return rows;
}

// Columns of the terminal's cells: UTF-8 continuation bytes take none.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string summary_of(const CampaignFigures& figures) {
  std::string text = format("honest payloads refused: %.2f %%; ", 100 * figures.honest_refused) +
                     "rounds without pay after an honest miner's fourth evaluation: " +
                     std::to_string(figures.honest_unpaid_early) + " early, " +
                     std::to_string(figures.honest_unpaid) + " settled" +
                     format("; two validators' weights agree to τ = %.2f", figures.agreement);
  for (const auto& [share, loss] : figures.loss)
    text += "; loss without the " + std::to_string(share) + format(" %%: %.3f", loss);
  return text;
}

std::vector<Line> pay_lines(const CampaignFigures& figures, bool whole_work) {
  std::vector<Line> lines;
  for (const AttackFigures& row : figures.attacks) {
    if ((row.work > 0) != whole_work) continue;
    Line line{name_of(row), {}};
    for (std::size_t r = 0; r < row.pay_by_round.size(); ++r)
      line.points.emplace_back(static_cast<double>(r), row.pay_by_round[r]);
    lines.push_back(std::move(line));
  }
  return lines;
}

// Held-out loss of the first seed at the share that most attacks were tried at.
std::vector<Line> loss_lines(const std::vector<sim::Career>& careers, std::uint32_t share) {
  std::vector<Line> lines;
  std::optional<std::uint64_t> seed;
  for (const sim::Career& career : careers) {
    if (career.percent != share) continue;
    if (!seed) seed = career.seed;
    if (career.seed != *seed) continue;
    Line line{career.attack == nullptr ? "honest alone" : std::string(career.attack->name), {}};
    for (const auto& [round, loss] : career.held_out)
      line.points.emplace_back(static_cast<double>(round), loss);
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<Row> rows_of(const std::vector<sim::ProtocolFigures>& protocol) {
  std::vector<Row> rows{{"attack", "by", "what it does", "named", "rounds named", "paid in",
                         "honest refused", "honest missed", "rounds lost"}};
  for (const sim::ProtocolFigures& figures : protocol) {
    const sim::ProtocolAttack& attack = *figures.attack;
    const auto honest = static_cast<double>(figures.honest_accepted + figures.honest_refused);
    const auto networks = [&](std::uint64_t count) {
      return std::to_string(count) + " of " + std::to_string(figures.networks) + " networks";
    };
    if (attack.disputed) {
      rows.push_back({std::string(attack.name), std::string(name_of(attack.role)),
                      std::string(attack.what),
                      "dispute: " + std::string(protocol::name_of(*attack.disputed)),
                      networks(figures.disputed), "", "", "", ""});
      continue;
    }
    std::string named, rounds_named;
    if (attack.named)
      named = protocol::name_of(*attack.named), rounds_named = std::to_string(figures.named());
    if (!attack.said.empty()) named = "in logs", rounds_named = networks(figures.said);
    if (attack.loses_vote) named = "has no vote", rounds_named = networks(figures.without_vote);
    rows.push_back(
        {std::string(attack.name), std::string(name_of(attack.role)), std::string(attack.what),
         named, rounds_named,
         attack.named ? std::to_string(figures.paid) + " of " + std::to_string(figures.networks)
                      : "",
         format("%.1f %%",
                100 * static_cast<double>(figures.honest_refused) / std::max(1.0, honest)),
         format("%.1f %%", 100 * static_cast<double>(figures.honest_missed) /
                               std::max(1.0, honest + static_cast<double>(figures.honest_missed))),
         std::to_string(figures.lost_rounds) + " of " +
             std::to_string(figures.rounds + figures.lost_rounds)});
  }
  return rows;
}

// Numbers to the right, words to the left.
std::string table_of(const std::vector<Row>& rows, std::size_t words, bool markdown) {
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const Row& row : rows)
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], width_of(row[c]));
  std::string text;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t c = 0; c < rows[r].size(); ++c) {
      const std::string blanks(widths[c] - width_of(rows[r][c]), ' ');
      if (markdown) {
        text += (c == 0 ? "| " : " ") + rows[r][c] + " |";
      } else {
        text += (c == 0 ? "" : "  ") + (c < words ? rows[r][c] + blanks : blanks + rows[r][c]);
      }
    }
    text += "\n";
    if (r > 0 || !markdown) continue;
    for (std::size_t c = 0; c < rows[r].size(); ++c)
      text += std::string(c == 0 ? "|" : "") + (c < words ? "---|" : "--:|");
    text += "\n";
  }
  return text;
}

std::string html_table(const std::vector<Row>& rows) {
  std::string html = "<table>\n";
  for (std::size_t r = 0; r < rows.size(); ++r) {
    html += "<tr>";
    for (const std::string& cell : rows[r]) {
      const char* tag = r == 0 ? "th" : "td";
      html += std::string("<") + tag + ">" + escape_html(cell) + "</" + tag + ">";
    }
    html += "</tr>\n";
  }
  return html + "</table>\n";
}

ordered_json row_of(const AttackFigures& row) {
  ordered_json json{{"attack", name_of(row)},
                    {"seeds", row.seeds},
                    {"work", row.work},
                    {"screened", row.screened},
                    {"gated", row.gated},
                    {"unpaid", row.unpaid},
                    {"score", row.score},
                    {"share", row.share},
                    {"pay", row.pay},
                    {"pay_worst", row.pay_worst},
                    {"settles", row.settles},
                    {"pay_by_round", row.pay_by_round},
                    {"harm", ordered_json::object()}};
  if (row.attack != nullptr) json["pay_limit"] = row.pay_limit();
  for (const auto& [share, harm] : row.harm)
    json["harm"][std::to_string(share)] = {{"seeds", harm.seeds},
                                           {"loss", harm.loss},
                                           {"pay", harm.pay},
                                           {"victim", harm.victim},
                                           {"honest_unpaid_rounds", harm.honest_unpaid}};
  return json;
}

}  // namespace

std::vector<std::string> AttackFindings::missed() const {
  std::vector<std::string> missed = content.missed();
  for (const sim::ProtocolFigures& figures : protocol) {
    const auto of_one = figures.missed();
    missed.insert(missed.end(), of_one.begin(), of_one.end());
  }
  return missed;
}

std::string attack_tables(const AttackFindings& findings, bool markdown) {
  std::string text;
  if (!findings.careers.empty())
    text += table_of(rows_of(findings.content), 1, markdown) + "\n" + summary_of(findings.content) +
            "\n";
  if (!findings.content.loss.empty())
    text += "\n" + table_of(harm_rows_of(findings.content), 1, markdown);
  if (!findings.protocol.empty())
    text += (text.empty() ? "" : "\n") + table_of(rows_of(findings.protocol), 4, markdown);
  return text;
}

ordered_json attack_json(const AttackFindings& findings) {
  const CampaignFigures& figures = findings.content;
  ordered_json json{{"honest", row_of(figures.honest)},
                    {"attacks", ordered_json::array()},
                    {"honest_refused", figures.honest_refused},
                    {"honest_unpaid_rounds", figures.honest_unpaid},
                    {"honest_unpaid_early_rounds", figures.honest_unpaid_early},
                    {"agreement", figures.agreement},
                    {"loss", ordered_json::object()},
                    {"protocol", ordered_json::array()},
                    {"missed", findings.missed()}};
  for (const AttackFigures& row : figures.attacks) json["attacks"].push_back(row_of(row));
  for (const auto& [share, loss] : figures.loss) json["loss"][std::to_string(share)] = loss;
  for (const sim::ProtocolFigures& row : findings.protocol) {
    ordered_json outcomes = ordered_json::object();
    for (const auto& [code, rounds] : row.outcomes)
      outcomes[std::string(protocol::name_of(code))] = rounds;
    json["protocol"].push_back({{"attack", row.attack->name},
                                {"networks", row.networks},
                                {"rounds", row.rounds},
                                {"lost_rounds", row.lost_rounds},
                                {"outcomes", outcomes},
                                {"paid", row.paid},
                                {"honest_accepted", row.honest_accepted},
                                {"honest_refused", row.honest_refused},
                                {"honest_missed", row.honest_missed},
                                {"unscreened", row.unscreened},
                                {"disputed", row.disputed},
                                {"said", row.said},
                                {"without_vote", row.without_vote}});
  }
  return json;
}

std::string attack_page(const AttackFindings& findings, const std::string& command) {
  const CampaignFigures& figures = findings.content;
  std::string body = "<p><code>" + escape_html(command) + "</code></p>\n";
  for (const std::string& missed : findings.missed())
    body += "<p><b>missed:</b> " + escape_html(missed) + "</p>\n";
  if (!findings.careers.empty()) {
    body += html_table(rows_of(figures)) + html_table(harm_rows_of(figures)) + "<p>" +
            escape_html(summary_of(figures)) + "</p>\n<ul>\n";
    for (const AttackFigures& row : figures.attacks)
      body += "<li><b>" + name_of(row) + "</b>: " + escape_html(std::string(row.attack->what)) +
              "</li>\n";
    body += "</ul>\n";
    std::vector<Bar> bars{{"honest", figures.honest.pay, percent(figures.honest.pay)}};
    for (const AttackFigures& row : figures.attacks)
      bars.push_back(
          {name_of(row) + " (does " + percent(row.work) + ")", row.pay, percent(row.pay)});
    body += bar_chart("Pay relative to an honest miner", bars);
    body += line_chart("Pay over rounds: who does none of the work", "round",
                       pay_lines(figures, false));
    body += line_chart("Pay over rounds: who does a part of the work", "round",
                       pay_lines(figures, true));
  }
  for (const std::uint32_t share : shares_of(figures))
    body += line_chart("Held-out loss with " + std::to_string(share) + " % attackers", "rounds",
                       loss_lines(findings.careers, share));
  if (!findings.protocol.empty())
    body += "<h2>On the protocol</h2>\n" + html_table(rows_of(findings.protocol));
  return html_page("Attacks", body);
}

}  // namespace muster::cli
