// Steps of yuma-epoch/1: whole epochs.
#include "chain/yuma/epoch.h"
#include "tests/chain/vectors/families.h"

namespace muster::chain::vectors {
namespace {

SparseU16 rows(const json& object, const char* name, std::size_t count) {
  SparseU16 result;
  const json& lists = array_of(member(object, name), name);
  if (lists.size() != count)
    throw Malformed("field '" + std::string(name) + "' has another length than 'n'");
  for (const json& row : lists) {
    for (const json& entry : array_of(row, name)) {
      if (array_of(entry, name).size() != 2)
        throw Malformed("field '" + std::string(name) + "' holds no pairs");
      result.append(integer_of<std::uint16_t>(entry[0], name),
                    integer_of<std::uint16_t>(entry[1], name));
    }
    result.close_row();
  }
  return result;
}

std::vector<bool> flags(const json& object, const char* name) {
  std::vector<bool> result;
  for (const json& value : array_of(member(object, name), name))
    result.push_back(integer_within(value, name, 0, 1) != 0);
  return result;
}

EpochParameters parameters_of(const json& input) {
  EpochParameters parameters;
  parameters.tempo = u16(input, "tempo");
  parameters.activity_cutoff_blocks = u64(input, "activity_cutoff_blocks");
  parameters.stake_threshold = u64(input, "stake_threshold");
  parameters.validators_max = u16(input, "max_validators");
  parameters.kappa = u16(input, "kappa");
  parameters.bonds_penalty = u16(input, "bonds_penalty");
  parameters.bonds_moving_average = u64(input, "bonds_moving_average");
  parameters.tao_weight = u64(input, "tao_weight");
  parameters.yuma3 = flag(input, "yuma3");
  parameters.commit_reveal = flag(input, "commit_reveal");
  parameters.liquid_alpha = flag(input, "liquid_alpha");
  parameters.alpha_low = u16(input, "alpha_low");
  parameters.alpha_high = u16(input, "alpha_high");
  parameters.alpha_sigmoid_steepness = integer<std::int16_t>(input, "alpha_sigmoid_steepness");
  return parameters;
}

std::vector<std::uint64_t> per_neuron(const json& input, const char* name, std::size_t neurons) {
  auto values = integers<std::uint64_t>(input, name);
  if (values.size() != neurons)
    throw Malformed("field '" + std::string(name) + "' has another length than 'n'");
  return values;
}

EpochInput input_of(const json& input) {
  const std::size_t neurons = u16(input, "n");
  EpochInput epoch;
  epoch.parameters = parameters_of(input);
  epoch.block = u64(input, "current_block");
  epoch.last_step_block = u64(input, "last_mechanism_step_block");
  epoch.emission = u64(input, "rao_emission");
  const Int128 owner = integer_within(member(input, "owner_uid"), "owner_uid", -1, 65535);
  if (owner >= 0) epoch.owner_uid = static_cast<std::uint16_t>(owner);
  epoch.alpha_stake = per_neuron(input, "alpha_stake", neurons);
  epoch.root_stake = per_neuron(input, "root_stake", neurons);
  epoch.block_at_registration = per_neuron(input, "block_at_registration", neurons);
  epoch.last_update = integers<std::uint64_t>(input, "last_update");
  epoch.validator_permit = flags(input, "validator_permit");
  if (input.contains("commit_block"))
    epoch.commit_block = integers<std::uint64_t>(input, "commit_block");
  epoch.weights = rows(input, "weights", neurons);
  epoch.bonds = rows(input, "bonds", neurons);
  return epoch;
}

void equal_flags(Verdict& verdict, const json& expected, const char* name,
                 const std::vector<bool>& got) {
  verdict.equal(name, integers<std::uint16_t>(expected, name),
                std::vector<std::uint16_t>(got.begin(), got.end()));
}

void equal_rows(Verdict& verdict, const SparseU16& expected, const SparseU16& got) {
  for (std::size_t i = 0; i < expected.rows(); ++i) {
    const std::string row = "bonds[" + std::to_string(i) + "]";
    verdict.equal(row + ".size", expected.row(i).size(), got.row(i).size());
    for (std::size_t k = 0; k < std::min(expected.row(i).size(), got.row(i).size()); ++k) {
      const std::string entry = row + "[" + std::to_string(k) + "]";
      verdict.equal(entry + ".uid", expected.row(i)[k].column, got.row(i)[k].column);
      verdict.equal(entry + ".value", expected.row(i)[k].value, got.row(i)[k].value);
    }
  }
}

void equal_exact(Verdict& verdict, const json& expected, const char* name,
                 const std::vector<I32F32>& got) {
  if (expected.contains(name)) verdict.equal(name, fixed_list<I32F32>(expected, name), got);
}

// The files took down a step's permits after the registrations that precede the next step, and a
// neuron that is replaced loses its permit: one such neuron has bonds and no permit in the same
// step. So for neurons that the next step shows registered anew, no permit is as good as the
// epoch's.
void equal_permits(Verdict& verdict, const json& expected, const EpochInput& input,
                   std::vector<bool> got, const json* next) {
  const auto wanted = flags(expected, "validator_permit");
  if (next != nullptr) {
    const auto registered =
        integers<std::uint64_t>(member(*next, "input"), "block_at_registration");
    const std::size_t common = std::min({registered.size(), wanted.size(), got.size()});
    for (std::size_t i = 0; i < common; ++i)
      if (registered[i] != input.block_at_registration[i] && !wanted[i]) got[i] = false;
  }
  equal_flags(verdict, expected, "validator_permit", got);
}

}  // namespace

Verdict check_epoch_step(const json& step, const json* next) {
  Verdict verdict;
  const EpochInput input = input_of(member(step, "input"));
  const EpochOutput got = run_epoch(input);
  const json& expected = member(step, "expected");
  const auto parts = [&](const char* name, const std::vector<std::uint16_t>& values) {
    verdict.equal(name, integers<std::uint16_t>(expected, name), values);
  };
  const auto amounts = [&](const char* name, const std::vector<std::uint64_t>& values) {
    verdict.equal(name, integers<std::uint64_t>(expected, name), values);
  };
  parts("stake_weight", got.stake_weight);
  parts("consensus", got.consensus);
  parts("incentive", got.incentive);
  parts("dividends", got.dividends);
  parts("validator_trust", got.validator_trust);
  equal_flags(verdict, expected, "active", got.active);
  equal_permits(verdict, expected, input, got.validator_permit, next);
  amounts("emission", got.emission);
  amounts("server_emission", got.server_emission);
  amounts("validator_emission", got.validator_emission);
  equal_rows(verdict, rows(expected, "bonds", input.neurons()), got.bonds);
  equal_exact(verdict, expected, "active_stake_i32f32", got.exact.active_stake);
  equal_exact(verdict, expected, "consensus_i32f32", got.exact.consensus);
  equal_exact(verdict, expected, "incentive_i32f32", got.exact.incentive);
  equal_exact(verdict, expected, "dividends_i32f32", got.exact.dividends);
  equal_exact(verdict, expected, "validator_trust_i32f32", got.exact.validator_trust);
  return verdict;
}

}  // namespace muster::chain::vectors
