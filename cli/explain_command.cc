// explain: why a miner has the score and weight that it has.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/key.h"
#include "base/printable.h"
#include "cli/audit_run.h"
#include "cli/commands.h"
#include "cli/json_text.h"
#include "verify/explanation.h"

namespace muster::cli {
namespace fs = std::filesystem;
namespace {

struct ExplainOptions {
  std::string miner, run = "runs/quickstart", bundle, validator;
  std::optional<std::uint64_t> round;
  bool json = false;

  [[nodiscard]] fs::path source() const { return bundle.empty() ? run : bundle; }
};

// A number of at most five digits.
std::optional<Uid> as_uid(const std::string& text) {
  Uid uid;
  const char* end = text.data() + text.size();
  const auto [parsed, error] = std::from_chars(text.data(), end, uid.value);
  return error == std::errc{} && parsed == end && text.size() <= 5 ? std::optional(uid)
                                                                   : std::nullopt;
}

// A uid, the name of a node whose key is in the run's folder, or the beginning of a hotkey.
Result<verify::MinerSelector> selector_of(const std::string& who, const ExplainOptions& options) {
  if (const auto uid = as_uid(who)) return verify::MinerSelector{uid};
  const fs::path key = RunFolder{options.run}.key_file(who);
  std::error_code ignored;
  if (options.bundle.empty() && who.find('/') == std::string::npos &&
      fs::is_regular_file(key, ignored)) {
    MUSTER_TRY(const SigningKey node, read_key_file(key));
    return verify::MinerSelector{{}, node.public_key().hex()};
  }
  std::string prefix = who;
  std::transform(prefix.begin(), prefix.end(), prefix.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  const bool is_hex =
      !prefix.empty() && prefix.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (is_hex) return verify::MinerSelector{{}, prefix};
  return Error{Errc::kInvalidArgument,
               "'" + who + "' is no uid, no beginning of a hotkey and no node with a key in " +
                   (fs::path(options.run) / "keys").string()};
}

Result<std::optional<Uid>> validator_uid(const ExplainOptions& options,
                                         const verify::ScoreAudit& scores) {
  if (options.validator.empty()) return std::optional<Uid>();
  MUSTER_TRY(const auto selector, selector_of(options.validator, options));
  if (selector.uid) return selector.uid;
  for (const auto& [hotkey, validator] : scores.validators())
    if (hotkey.hex().starts_with(selector.hotkey_prefix)) return std::optional(validator.uid);
  return Error{Errc::kNotFound,
               "no validator has a hotkey that begins with " + selector.hotkey_prefix};
}

template <class Parts>
std::vector<double> scores_of(const Parts& parts_e3) {
  std::vector<double> parts;
  for (const std::int16_t part : parts_e3) parts.push_back(part / 1000.0);
  return parts;
}

nlohmann::ordered_json to_json(const protocol::Evaluation& evaluation) {
  return {{"basis", name_of(evaluation.basis)},
          {"score", evaluation.scores.all_e3 / 1000.0},
          {"quarters", scores_of(evaluation.scores.quarters_e3)},
          {"tensor_groups", scores_of(evaluation.scores.groups_e3)},
          {"drop", evaluation.drop_e6 / 1e6},
          {"drop_error", evaluation.drop_error_e6 / 1e6},
          {"gate_passed", evaluation.gate_passed}};
}

nlohmann::ordered_json to_json(const verify::MinerRound& round) {
  nlohmann::ordered_json json{
      {"round", round.round.value},
      {"outcome", round.outcome ? name_of(*round.outcome) : "not in the roster"},
      {"norm", round.norm},
      {"weight", round.weight},
      {"standing", round.standing},
      {"arrival_ms", round.arrival_ms}};
  auto& voices = json["validators"] = nlohmann::ordered_json::array();
  for (const auto& voice : round.voices) {
    nlohmann::ordered_json one{{"uid", voice.validator.value}};
    if (voice.verdict) {
      one["verdict"] = name_of(*voice.verdict);
      one["cosine"] = voice.cosine;
    }
    if (voice.evaluation) one["evaluation"] = to_json(*voice.evaluation);
    voices.push_back(std::move(one));
  }
  return json;
}

nlohmann::ordered_json to_json(const verify::ValidatorView& view) {
  return {{"uid", view.validator.value},
          {"hotkey", view.hotkey.hex()},
          {"evaluations", view.evaluations},
          {"mean_score", view.mean},
          {"lower_bound", view.lower_bound},
          {"others_mean_score", view.others_mean},
          {"presence", view.presence},
          {"gate_failed", view.gate_failed},
          {"is_useless", view.is_useless},
          {"share", view.share},
          {"weakest_part", view.weakest_part},
          {"weakest_share", view.weakest_share},
          {"earned", view.earned},
          {"weight", view.weight},
          {"standing", view.standing},
          {"rank", view.rank},
          {"miners", view.miners},
          {"sealed_screens", view.sealed}};
}

nlohmann::ordered_json to_json(const verify::Explanation& explanation,
                               const std::optional<std::uint64_t>& round) {
  const auto& miner = explanation.miner;
  nlohmann::ordered_json json{{"uid", miner.uid.value},
                              {"hotkey", miner.hotkey.hex()},
                              {"first_round", miner.first.value},
                              {"last_round", miner.last.value}};
  for (const auto& [code, count] : miner.outcomes)
    json["outcomes"][std::string(name_of(code))] = count;
  json["outcomes"]["not in the roster"] = miner.absent;
  json["validators"] = nlohmann::ordered_json::array();
  for (const auto& view : explanation.views) json["validators"].push_back(to_json(view));
  json["rounds"] = nlohmann::ordered_json::array();
  for (const auto& told : miner.recent)
    if (!round || told.round.value == *round) json["rounds"].push_back(to_json(told));
  if (round && json["rounds"].empty() && miner.wanted)
    json["rounds"].push_back(to_json(*miner.wanted));
  json["text"] = explanation.lines;
  return json;
}

Result<int> run_explain(const ExplainOptions& options, const std::atomic<bool>& stop) {
  MUSTER_TRY(const auto selector, selector_of(options.miner, options));
  MUSTER_TRY(const auto source, AuditSource::open(options.source()));
  const auto round = options.round ? std::optional(Round{*options.round}) : std::nullopt;
  verify::ScoreAudit scores;
  verify::MinerStory story(selector, round);
  AuditRunOptions run;
  run.prepare = [&](verify::Audit& audit) {
    audit.on_round([&](const auto& sealed, auto& report) { return scores.take(sealed, report); });
    audit.on_round([&](const auto& sealed, auto& report) { return story.take(sealed, report); });
  };
  MUSTER_TRY(const AuditedRun audited, audit_run(*source, run, stop));
  if (!audited.report.ok())
    std::fprintf(
        stderr,
        "muster: what this is read from does not hold: `muster audit %s` says what is wrong\n",
        options.source().c_str());
  MUSTER_TRY(const auto validator, validator_uid(options, scores));
  MUSTER_TRY(const auto explanation, verify::explain(story, scores, validator, round));
  if (options.json) {
    std::printf("%s\n", json_text(to_json(explanation, options.round), 2).c_str());
  } else {
    for (const std::string& line : explanation.lines) std::printf("%s\n", printable(line).c_str());
  }
  return 0;
}

}  // namespace

void add_explain(Command app) {
  const Command command =
      app.add_command("explain", "Why a miner has its score and weight, and what would raise it");
  auto options = std::make_shared<ExplainOptions>();
  command
      .add_option("miner", options->miner,
                  "Its uid, the beginning of its hotkey, or its name in a localnet's run")
      .required();
  const Option run = command.add_option("--run", options->run, "Folder of the run").show_default();
  command.add_option("--bundle", options->bundle, "A bundle instead of a folder").excludes(run);
  command.add_option("--round", options->round, "What happened to it in this round");
  command.add_option("--validator", options->validator,
                     "Only this one's view: uid, beginning of its hotkey, or name");
  command.add_flag("--json", options->json, "Machine-readable output");
  command.footer("Example: muster explain noise-1 --run runs/quickstart");
  command.action([options](const std::atomic<bool>& stop) { return run_explain(*options, stop); });
}

}  // namespace muster::cli
