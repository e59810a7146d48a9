// Cases of weights-convert/1: a client's weights to and from the chain's rows.
#include "chain/codec/weights_convert.h"
#include "tests/chain/vectors/bytes_fields.h"
#include "tests/chain/vectors/families.h"

namespace muster::chain::vectors {
namespace {

Verdict to_row(const json& test) {
  Verdict verdict;
  std::vector<double> weights = numbers(test, "weights");
  const std::string& precision = text(test, "input_precision");
  if (precision != "f32" && precision != "f64")
    throw Malformed("field 'input_precision' is neither f32 nor f64");
  if (precision == "f32")
    for (double& weight : weights) weight = static_cast<float>(weight);
  const auto row = weights_to_u16(integers<std::uint16_t>(test, "uids"), weights);
  if (test.contains("error")) {
    verdict.equal("error", true, !row.has_value());
    return verdict;
  }
  const json& expected = array_of(member(test, "expected"), "expected");
  if (expected.size() != 2 || !row) {
    verdict.add("expected", "a row", row ? "a row" : row.error().message);
    return verdict;
  }
  const auto read = [](const json& values) {
    std::vector<std::uint16_t> out;
    for (const json& value : array_of(values, "expected"))
      out.push_back(integer_of<std::uint16_t>(value, "expected"));
    return out;
  };
  verdict.equal("uids", read(expected[0]), row->uids);
  verdict.equal("weights", read(expected[1]), row->weights);
  return verdict;
}

void near_all(Verdict& verdict, const json& test, const std::vector<double>& got) {
  const std::vector<double> expected = numbers(test, "expected");
  verdict.equal("expected.size", expected.size(), got.size());
  for (std::size_t i = 0; i < std::min(expected.size(), got.size()); ++i)
    verdict.near("expected[" + std::to_string(i) + "]", expected[i], got[i],
                 number(test, "tolerance"));
}

Verdict from_row(const json& test) {
  Verdict verdict;
  const auto row = weights_from_u16(u64(test, "n"), integers<std::uint16_t>(test, "uids"),
                                    integers<std::uint16_t>(test, "values"));
  if (row) {
    near_all(verdict, test, *row);
  } else {
    verdict.add("expected", "a row", row.error().message);
  }
  return verdict;
}

}  // namespace

Verdict check_weights_convert_case(const json& test) {
  const std::string& kind = text(test, "kind");
  if (kind == "convert_weights_for_emit") return to_row(test);
  if (kind == "chain_row_to_normalised") return from_row(test);
  Verdict verdict;
  if (kind == "normalize_max_weight") {
    near_all(verdict, test, limit_weights(numbers(test, "weights"), number(test, "limit")));
  } else if (kind == "split_to_u16") {
    verdict.equal("expected", integers<std::uint16_t>(test, "expected"),
                  split_to_u16(integers<std::uint64_t>(test, "split")));
  } else {
    return Verdict::unknown_kind(kind);
  }
  return verdict;
}

}  // namespace muster::chain::vectors
