#include "cli/run_config.h"

#include <set>
#include <toml++/toml.h>

namespace muster::cli {
namespace {

// One section: fields are read by name, and what is left over at the end is refused.
class Section {
 public:
  Section(const toml::table& root, const std::string& name, std::string file)
      : table_(root[name].as_table()), name_(name), file_(std::move(file)) {}

  template <class Number>
    requires std::is_arithmetic_v<Number>
  Section& field(const char* key, Number& target) {
    const toml::node* node = find(key);
    if (node == nullptr) return *this;
    if constexpr (std::is_same_v<Number, bool>) {
      if (const auto value = node->value_exact<bool>()) return target = *value, *this;
      return refuse(*node, key, "true or false");
    } else if constexpr (std::is_floating_point_v<Number>) {
      if (const auto value = node->value<double>(); value && !node->is_boolean())
        return target = static_cast<Number>(*value), *this;
      return refuse(*node, key, "a number");
    } else {
      const auto value = node->value_exact<std::int64_t>();
      if (value && std::in_range<Number>(*value)) return target = static_cast<Number>(*value), *this;
      return refuse(*node, key, "a whole number from 0 to " +
                                    std::to_string(std::numeric_limits<Number>::max()));
    }
  }
  Section& field(const char* key, std::string& target) {
    const toml::node* node = find(key);
    if (node == nullptr) return *this;
    if (const auto value = node->value_exact<std::string>()) return target = *value, *this;
    return refuse(*node, key, "a text");
  }
  Section& field(const char* key, std::vector<std::string>& target) {
    const toml::node* node = find(key);
    if (node == nullptr) return *this;
    if (!node->is_array()) return refuse(*node, key, "a list of texts");
    target.clear();
    for (const auto& item : *node->as_array()) {
      const auto value = item.value_exact<std::string>();
      if (!value) return refuse(item, key, "a list of texts");
      target.push_back(*value);
    }
    return *this;
  }
  Section& field(const char* key, compression::ValueFormat& target) {
    const toml::node* node = find(key);
    if (node == nullptr) return *this;
    const auto format = compression::value_format_named(node->value_exact<std::string>().value_or(""));
    if (!format) return refuse(*node, key, "a value format: " + format.error().message);
    return target = *format, *this;
  }
  // [[rounds, keep], …]
  Section& field(const char* key, std::vector<protocol::DensityStage>& target) {
    const toml::node* node = find(key);
    if (node == nullptr) return *this;
    const char* form = "a list of [rounds, keep]";
    if (!node->is_array()) return refuse(*node, key, form);
    target.clear();
    for (const auto& item : *node->as_array()) {
      const auto* pair = item.as_array();
      if (pair == nullptr || pair->size() != 2) return refuse(item, key, form);
      const auto rounds = (*pair)[0].value_exact<std::int64_t>();
      const auto keep = (*pair)[1].value_exact<std::int64_t>();
      if (!rounds || !keep || *rounds < 1 || *keep < 1 || *keep > 4096 || *rounds > 1'000'000)
        return refuse(item, key, "rounds of at least 1 and keep from 1 to 4096");
      target.push_back({static_cast<std::uint32_t>(*rounds), static_cast<std::uint32_t>(*keep)});
    }
    return *this;
  }

  Status finish() {
    if (error_) return *error_;
    if (table_ == nullptr) return {};
    for (const auto& [key, node] : *table_) {
      if (!used_.contains(std::string(key.str())))
        return Error{Errc::kInvalidArgument, place(node) + ": '" + name_ + "." +
                                                 std::string(key.str()) +
                                                 "' is no known field; look for a typing error"};
    }
    return {};
  }

 private:
  const toml::node* find(const char* key) {
    used_.insert(key);
    return table_ == nullptr || error_ ? nullptr : table_->get(key);
  }
  std::string place(const toml::node& node) const {
    const auto line = node.source().begin.line;
    return line == 0 ? "--set" : file_ + ":" + std::to_string(line);
  }
  Section& refuse(const toml::node& node, const char* key, const std::string& expected) {
    error_ = Error{Errc::kInvalidArgument,
                   place(node) + ": '" + name_ + "." + key + "' must be " + expected};
    return *this;
  }

  const toml::table* table_;
  std::string name_;
  std::string file_;
  std::set<std::string> used_;
  std::optional<Error> error_;
};

Status apply_override(toml::table& root, const std::string& text) {
  const auto refuse = [&](const std::string& why) {
    return Error{Errc::kInvalidArgument, "--set " + text + ": " + why};
  };
  const auto equals = text.find('=');
  const auto dot = text.find('.');
  if (equals == std::string::npos || dot == std::string::npos || dot > equals)
    return refuse("write it as section.key=value");
  const std::string section = text.substr(0, dot), key = text.substr(dot + 1, equals - dot - 1);
  const std::string value = text.substr(equals + 1);
  toml::table parsed;
  try {
    parsed = toml::parse("value = " + value);
  } catch (const toml::parse_error&) {
    parsed.insert_or_assign("value", value);  // an unquoted text
  }
  if (!root.contains(section)) root.insert(section, toml::table{});
  toml::table* table = root[section].as_table();
  if (table == nullptr) return refuse("'" + section + "' is no section");
  if (const auto* number = parsed["value"].as_integer()) table->insert_or_assign(key, number->get());
  else if (const auto* real = parsed["value"].as_floating_point()) table->insert_or_assign(key, real->get());
  else if (const auto* flag = parsed["value"].as_boolean()) table->insert_or_assign(key, flag->get());
  else if (const auto* list = parsed["value"].as_array()) table->insert_or_assign(key, *list);
  else table->insert_or_assign(key, parsed["value"].value_or(value));
  return {};
}

Status read_sections(const toml::table& root, const std::string& file, RunConfig& config) {
  auto& p = config.params;
  std::string corpus, compute = "auto";
  state::RopeScaling rope{.factor = 1};
  auto section = [&](const char* name) { return Section(root, name, file); };
  MUSTER_TRY_STATUS(section("run")
                        .field("name", p.name)
                        .field("rounds", p.rounds)
                        .field("seed", p.model_seed)
                        .finish());
  MUSTER_TRY_STATUS(section("data").field("corpus", corpus).finish());
  MUSTER_TRY_STATUS(section("model")
                        .field("d_model", p.model.d_model)
                        .field("layers", p.model.layers)
                        .field("heads", p.model.heads)
                        .field("kv_heads", p.model.kv_heads)
                        .field("d_ff", p.model.d_ff)
                        .field("context", p.model.context)
                        .field("vocab", p.model.vocab)
                        .field("tied", p.model.tied)
                        .field("rope_theta", p.model.rope_theta)
                        .field("norm_epsilon", p.model.norm_epsilon)
                        .field("rope_factor", rope.factor)
                        .field("rope_low_frequency_factor", rope.low_frequency_factor)
                        .field("rope_high_frequency_factor", rope.high_frequency_factor)
                        .field("rope_original_context", rope.original_context)
                        .finish());
  if (rope.factor != 1) p.model.rope_scaling = rope;
  MUSTER_TRY_STATUS(section("train")
                        .field("inner_steps", p.training.inner_steps)
                        .field("batch", p.training.batch)
                        .field("learning_rate", p.training.learning_rate)
                        .field("warmup_steps", p.training.warmup_steps)
                        .field("cosine_to", p.training.cosine_to)
                        .field("beta1", p.training.beta1)
                        .field("beta2", p.training.beta2)
                        .field("weight_decay", p.training.weight_decay)
                        .field("decay_vectors", p.training.decay_vectors)
                        .field("gradient_clip", p.training.gradient_clip)
                        .field("compute", compute)
                        .finish());
  MUSTER_TRY_STATUS(section("compression")
                        .field("schedule", p.compression.schedule)
                        .field("error_feedback_decay", p.compression.error_feedback_decay)
                        .field("values", p.compression.values)
                        .field("downlink_values", p.compression.downlink_values)
                        .field("downlink_factor", p.compression.downlink_factor)
                        .field("downlink_decay", p.compression.downlink_decay)
                        .field("outer_learning_rate", p.compression.outer_learning_rate)
                        .finish());
  MUSTER_TRY_STATUS(section("verify")
                        .field("screen_sequences", p.verification.screen_sequences)
                        .field("own_sequences", p.verification.own_sequences)
                        .field("shared_sequences", p.verification.shared_sequences)
                        .field("probe_step", p.verification.probe_step)
                        .field("cosine_gate", p.verification.cosine_gate)
                        .field("drop_gate", p.verification.drop_gate)
                        .field("replay_cosine", p.verification.replay_cosine)
                        .field("overlap", p.verification.overlap)
                        .field("overlap_keep_max", p.verification.overlap_keep_max)
                        .field("sequences_min", p.verification.sequences_min)
                        .field("norm_min", p.verification.norm_min)
                        .field("score_wait_ms", config.score_wait_ms)
                        .finish());
  MUSTER_TRY_STATUS(section("timing")
                        .field("gather_ms", p.timing.gather_ms)
                        .field("train_ms", p.timing.train_ms)
                        .field("reveal_ms", p.timing.reveal_ms)
                        .field("screen_ms", p.timing.screen_ms)
                        .field("grace_min_ms", p.timing.grace_min_ms)
                        .field("grace_max_ms", p.timing.grace_max_ms)
                        .field("pause_ms", p.timing.pause_ms)
                        .field("pause_max_ms", p.timing.pause_max_ms)
                        .field("quorum_percent", p.timing.quorum_percent)
                        .field("miners_min", p.timing.miners_min)
                        .finish());
  MUSTER_TRY_STATUS(section("ledger")
                        .field("name", config.genesis.name)
                        .field("netuid", config.genesis.netuid)
                        .field("block_ms", config.genesis.block_ms)
                        .field("tempo", config.genesis.tempo)
                        .field("uids_max", config.genesis.uids_max)
                        .field("registration_cost", config.genesis.registration_cost)
                        .field("validator_stake_min", config.genesis.validator_stake_min)
                        .field("emission_per_block", config.genesis.emission_per_block)
                        .field("weights_rate_limit", config.genesis.weights_rate_limit)
                        .finish());
  MUSTER_TRY_STATUS(section("localnet")
                        .field("miners", config.localnet.miners)
                        .field("cheaters", config.localnet.cheaters)
                        .field("validators", config.localnet.validators)
                        .field("port", config.localnet.port)
                        .field("late", config.localnet.late)
                        .field("late_round", config.localnet.late_round)
                        .finish());
  MUSTER_TRY_STATUS(section("checkpoint")
                        .field("every", config.checkpoint.every)
                        .field("offer_after", config.checkpoint.offer_after)
                        .finish());
  if (config.localnet.late > config.localnet.miners)
    return Error{Errc::kInvalidArgument, file + ": localnet.late is more than localnet.miners"};
  if (compute == "auto") config.compute = trainer::Compute::kAuto;
  else if (compute == "bf16") config.compute = trainer::Compute::kBfloat16;
  else if (compute == "fp32") config.compute = trainer::Compute::kFloat32;
  else return Error{Errc::kInvalidArgument, file + ": train.compute must be auto, bf16 or fp32"};
  p.netuid = config.genesis.netuid;
  if (!corpus.empty()) config.corpus = std::filesystem::path(file).parent_path() / corpus;
  return {};
}

}  // namespace

Result<RunConfig> read_run_config(const std::filesystem::path& path,
                                  const std::vector<std::string>& overrides) {
  if (!std::filesystem::exists(path))
    return Error{Errc::kNotFound, path.string() + ": no such configuration file"};
  toml::table root;
  try {
    root = toml::parse_file(path.string());
  } catch (const toml::parse_error& error) {
    return Error{Errc::kMalformed, path.string() + ":" +
                                       std::to_string(error.source().begin.line) + ": " +
                                       std::string(error.description())};
  }
  static const std::set<std::string> kSections{"run",    "data",   "model",  "train",   "compression",
                                               "verify", "timing", "ledger", "checkpoint", "localnet"};
  for (const std::string& text : overrides) MUSTER_TRY_STATUS(apply_override(root, text));
  for (const auto& [key, node] : root) {
    if (!kSections.contains(std::string(key.str())))
      return Error{Errc::kInvalidArgument, path.string() + ":" +
                                               std::to_string(node.source().begin.line) + ": '" +
                                               std::string(key.str()) + "' is no known section"};
  }
  RunConfig config;
  MUSTER_TRY_STATUS(read_sections(root, path.string(), config));
  return config;
}

}  // namespace muster::cli
