// Cases of yuma-math/1: the functions that the epoch is made of, one at a time.
#include <cstdlib>
#include <regex>

#include "chain/fixed/median.h"
#include "chain/fixed/sparse.h"
#include "chain/fixed/transcendental.h"
#include "chain/fixed/vectors.h"
#include "chain/yuma/liquid_alpha.h"
#include "tests/chain/vectors/dispatch.h"
#include "tests/chain/vectors/families.h"

namespace muster::chain::vectors {
namespace {

I32F32 decimal(const json& value, const char* name) {
  return fixed_from_number<I32F32>(number_of(value, name));
}
std::vector<I32F32> decimals(const json& object, const char* name) {
  return list<I32F32>(object, name, decimal);
}

double as_number(I32F32 value) { return static_cast<double>(value.bits) / 4294967296.0; }

void near_decimals(Verdict& verdict, const json& test, const std::vector<I32F32>& got) {
  const std::vector<double> expected = numbers(test, "expected");
  const double tolerance = number(test, "tolerance");
  verdict.equal("expected.size", expected.size(), got.size());
  for (std::size_t i = 0; i < std::min(expected.size(), got.size()); ++i)
    verdict.near("expected[" + std::to_string(i) + "]", expected[i], as_number(got[i]),
                 1.001 * tolerance + 1e-9 * std::fabs(expected[i]));
}

// Constants of single precision, where the expected bits show that upstream's were.
I32F32 single_decimal(const json& value, const char* name) {
  return fixed_from_number<I32F32>(static_cast<double>(static_cast<float>(number_of(value, name))));
}

SparseMatrix matrix(const json& object, const char* name, const auto& read) {
  SparseMatrix rows;
  for (const json& row : array_of(member(object, name), name)) {
    std::uint16_t column = 0;
    for (const json& value : array_of(row, name)) rows.append(column++, read(value, name));
    rows.close_row();
  }
  return rows;
}

SparseMatrix matrix(const json& object, const char* name) { return matrix(object, name, decimal); }

std::size_t columns_of(const SparseMatrix& rows) {
  std::size_t columns = 0;
  for (std::size_t i = 0; i < rows.rows(); ++i) columns = std::max(columns, rows.row(i).size());
  return columns;
}

void near_matrix(Verdict& verdict, const json& test, const SparseMatrix& got) {
  const double tolerance = number(test, "tolerance");
  const json& expected = array_of(member(test, "expected"), "expected");
  verdict.equal("expected.rows", expected.size(), got.rows());
  for (std::size_t i = 0; i < std::min<std::size_t>(expected.size(), got.rows()); ++i) {
    std::vector<double> dense(array_of(expected[i], "expected").size());
    for (const auto& [column, value] : got.row(i))
      if (column < dense.size()) dense[column] = as_number(value);
    for (std::size_t j = 0; j < dense.size(); ++j)
      verdict.near("expected[" + std::to_string(i) + "][" + std::to_string(j) + "]",
                   number_of(expected[i][j], "expected"), dense[j], tolerance);
  }
}

void equal_flags(Verdict& verdict, const json& test, const std::vector<bool>& got) {
  verdict.equal("expected", integers<std::uint16_t>(test, "expected"),
                std::vector<std::uint16_t>(got.begin(), got.end()));
}

Verdict upscaled(const json& test) {
  Verdict verdict;
  const auto expected = integers<std::uint16_t>(test, "expected");
  verdict.equal("expected", expected,
                test.contains("input_i32f32")
                    ? upscaled_to_u16(fixed_list<I32F32>(test, "input_i32f32"))
                    : upscaled_to_u16(integers<std::uint16_t>(test, "input")));
  return verdict;
}

Verdict max_limited(const json& test) {
  Verdict verdict;
  verdict.equal(
      "expected", flag(test, "expected"),
      largest_share_within(integers<std::uint16_t>(test, "input"), u16(test, "max_limit_u16")));
  return verdict;
}

Verdict exponential(const json& test) {
  Verdict verdict;
  verdict.equal("expected_i32f32", fixed<I32F32>(test, "expected_i32f32"),
                exp_safe(fixed<I32F32>(test, "x_i32f32")));
  return verdict;
}

Verdict sigmoid(const json& test) {
  Verdict verdict;
  verdict.equal("expected_i32f32", fixed<I32F32>(test, "expected_i32f32"),
                sigmoid_safe(fixed<I32F32>(test, "x_i32f32"), fixed<I32F32>(test, "rho_i32f32"),
                             fixed<I32F32>(test, "kappa_i32f32")));
  return verdict;
}

Verdict liquid(const json& test) {
  Verdict verdict;
  const auto parameters =
      LiquidAlpha::from_parameters(u16(test, "alpha_low_u16"), u16(test, "alpha_high_u16"),
                                   integer<std::int16_t>(test, "steepness_i16"));
  verdict.equal(
      "expected_i32f32", fixed<I32F32>(test, "expected_i32f32"),
      liquid_alpha(parameters, fixed<I32F32>(test, "consensus_i32f32"),
                   fixed<I32F32>(test, "weight_i32f32"), fixed<I32F32>(test, "bond_i32f32")));
  return verdict;
}

Verdict among_largest(const json& test) {
  Verdict verdict;
  equal_flags(verdict, test, is_among_largest(decimals(test, "input"), u64(test, "k")));
  return verdict;
}

Verdict among_largest_nonzero(const json& test) {
  Verdict verdict;
  equal_flags(verdict, test, is_among_largest_nonzero(decimals(test, "input"), u64(test, "k")));
  return verdict;
}

Verdict normalized(const json& test) {
  Verdict verdict;
  std::vector<I32F32> values = decimals(test, "input");
  normalize(values);
  near_decimals(verdict, test, values);
  return verdict;
}

Verdict rows_normalized(const json& test) {
  Verdict verdict;
  SparseMatrix rows = matrix(test, "input");
  row_normalize(rows);
  near_matrix(verdict, test, rows);
  return verdict;
}

Verdict columns_normalized(const json& test) {
  Verdict verdict;
  SparseMatrix rows = matrix(test, "input");
  col_normalize(rows, columns_of(rows));
  near_matrix(verdict, test, rows);
  return verdict;
}

Verdict columns_upscaled(const json& test) {
  Verdict verdict;
  SparseMatrix rows = matrix(test, "input");
  col_max_upscale(rows, columns_of(rows));
  near_matrix(verdict, test, rows);
  return verdict;
}

Verdict columns_clipped(const json& test) {
  Verdict verdict;
  near_matrix(verdict, test, col_clip(matrix(test, "input"), decimals(test, "bound")));
  return verdict;
}

Verdict median(const json& test) {
  Verdict verdict;
  const auto stakes = fixed_list<I32F32>(test, "stake_i32f32");
  verdict.equal(
      "expected_i32f32", fixed<I32F32>(test, "expected_i32f32"),
      weighted_median(stakes, fixed_list<I32F32>(test, "score_i32f32"),
                      fixed<I32F32>(test, "minority_i32f32"), wrapping_sum<I32F32>(stakes)));
  return verdict;
}

Verdict median_normalised(const json& test) {
  Verdict verdict;
  auto stakes = fixed_list<I32F32>(test, "stake_i32f32");
  normalize(stakes);
  const I32F32 total = wrapping_sum<I32F32>(stakes);
  verdict.equal("expected_i32f32", fixed<I32F32>(test, "expected_i32f32"),
                weighted_median(stakes, fixed_list<I32F32>(test, "score_i32f32"),
                                total - fixed<I32F32>(test, "majority_i32f32"), total));
  return verdict;
}

Verdict medians(const json& test) {
  Verdict verdict;
  const SparseMatrix weights = matrix(test, "weights", single_decimal);
  verdict.equal(
      "expected_i32f32", fixed_list<I32F32>(test, "expected_i32f32"),
      column_medians(list<I32F32>(test, "stake", single_decimal), weights, columns_of(weights),
                     single_decimal(member(test, "kappa"), "kappa")));
  return verdict;
}

Verdict between(const json& test) {
  Verdict verdict;
  const auto a = decimals(test, "a");
  const auto b = decimals(test, "b");
  if (a.size() != b.size()) throw Malformed("fields 'a' and 'b' differ in length");
  const I32F32 ratio = decimal(member(test, "ratio"), "ratio");
  std::vector<I32F32> got(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) got[i] = interpolated(a[i], b[i], ratio);
  near_decimals(verdict, test, got);
  return verdict;
}

Verdict averaged(const json& test) {
  Verdict verdict;
  const auto fresh = decimals(test, "new");
  const auto old = decimals(test, "old");
  const auto alpha = decimals(test, "alpha");
  if (old.size() != fresh.size() || alpha.size() != fresh.size())
    throw Malformed("fields 'new', 'old' and 'alpha' differ in length");
  std::vector<I32F32> got(fresh.size());
  for (std::size_t i = 0; i < fresh.size(); ++i)
    got[i] = blended(fresh[i], (I32F32::one() - alpha[i]) * old[i], alpha[i]);
  near_decimals(verdict, test, got);
  return verdict;
}

Verdict averaged_sparse(const json& test) {
  Verdict verdict;
  const auto alpha = decimals(test, "alpha");
  const auto row_of = [](const std::vector<I32F32>& values) {
    SparseMatrix row;
    for (std::size_t j = 0; j < values.size(); ++j)
      if (values[j] != I32F32::zero()) row.append(static_cast<std::uint16_t>(j), values[j]);
    row.close_row();
    return row;
  };
  const SparseMatrix average =
      moving_average_by_entry(row_of(decimals(test, "new")), row_of(decimals(test, "old")),
                              alpha.size(), [&](std::size_t, std::span<I32F32> out) {
                                std::copy(alpha.begin(), alpha.end(), out.begin());
                              });
  std::vector<I32F32> got(alpha.size());
  for (const auto& [column, value] : average.row(0)) got[column] = value;
  near_decimals(verdict, test, got);
  return verdict;
}

Verdict constant(const json& test) {
  Verdict verdict;
  const std::string& text = string_of(member(test, "expression"), "expression");
  const std::regex form(R"(1 - I32F32\(I64F64\((\d{1,18})\)/(\d{1,18})\))");
  std::smatch match;
  if (!std::regex_match(text, match, form))
    throw Malformed("field 'expression' has an unknown form");
  const auto ratio =
      safe_div(fixed_from<I64F64>(std::strtoull(match[1].str().c_str(), nullptr, 10)),
               fixed_from<I64F64>(std::strtoull(match[2].str().c_str(), nullptr, 10)));
  verdict.equal("expected_i32f32", fixed<I32F32>(test, "expected_i32f32"),
                I32F32::one() - fixed_from<I32F32>(ratio));
  return verdict;
}

Verdict stake_fraction(const json& test) {
  Verdict verdict;
  const I64F64 fraction = safe_div(fixed_from<I64F64>(u64(test, "numerator")),
                                   fixed_from<I64F64>(u64(test, "denominator")));
  if (test.contains("i64f64_raw"))
    verdict.equal("i64f64_raw", fixed<I64F64>(test, "i64f64_raw"), fraction);
  verdict.equal("expected_i32f32", fixed<I32F32>(test, "expected_i32f32"),
                fixed_from<I32F32>(fraction));
  return verdict;
}

Verdict to_proportion(const json& test) {
  Verdict verdict;
  verdict.equal("expected", u16(test, "expected"),
                proportion_from(fixed<I32F32>(test, "x_i32f32")));
  return verdict;
}

Verdict from_proportion(const json& test) {
  Verdict verdict;
  verdict.equal("expected_i32f32", fixed<I32F32>(test, "expected_i32f32"),
                fixed_from_proportion(u16(test, "u16")));
  return verdict;
}

}  // namespace

Verdict check_math_case(const json& test) {
  static const Checks kChecks{{"max_upscale_i32f32_to_u16", upscaled},
                              {"max_upscale_u16", upscaled},
                              {"vec_max_limited", max_limited},
                              {"exp_safe", exponential},
                              {"sigmoid_safe", sigmoid},
                              {"liquid_alpha", liquid},
                              {"is_topk", among_largest},
                              {"is_topk_nonzero", among_largest_nonzero},
                              {"normalize", normalized},
                              {"row_normalize", rows_normalized},
                              {"col_normalize", columns_normalized},
                              {"col_max_upscale", columns_upscaled},
                              {"col_clip", columns_clipped},
                              {"weighted_median", median},
                              {"weighted_median_normalised", median_normalised},
                              {"consensus_median_col", medians},
                              {"interpolate", between},
                              {"ema_alpha_dense", averaged},
                              {"ema_alpha_sparse", averaged_sparse},
                              {"i32f32_constant", constant},
                              {"stake_fraction_i32f32", stake_fraction},
                              {"fixed_proportion_to_u16", to_proportion},
                              {"u16_proportion_to_fixed", from_proportion}};
  return dispatch(kChecks, test, "fn");
}

}  // namespace muster::chain::vectors
