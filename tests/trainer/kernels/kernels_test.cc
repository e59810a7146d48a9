// One suite for every table: each instruction set against plain loops in fp64.
#include "trainer/kernels/kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "base/prng.h"

namespace muster::trainer {
namespace {

template <class T>
T rounded(float value) {
  if constexpr (sizeof(T) == 4) {
    return value;
  } else {
    std::uint32_t bits;
    std::memcpy(&bits, &value, 4);
    return Bf16{static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16)};
  }
}

template <class T>
std::vector<T> numbers(std::size_t count, std::uint64_t seed) {
  Prng random(seed);
  std::vector<T> values(count);
  for (T& value : values) value = rounded<T>(static_cast<float>(random.uniform() * 2 - 1));
  return values;
}

template <class T>
const std::uint32_t* words(const std::vector<T>& values) {
  return reinterpret_cast<const std::uint32_t*>(values.data());
}

template <class T>
class KernelsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (available_kernels<T>().empty()) GTEST_SKIP() << "this CPU does not multiply the format";
  }
  static constexpr double kTolerance = sizeof(T) == 4 ? 1e-5 : 1e-2;
  static constexpr double kExact = 2e-5;  // of sums of products that are stored as floats
};
using Formats = ::testing::Types<float, Bf16>;
TYPED_TEST_SUITE(KernelsTest, Formats);

TYPED_TEST(KernelsTest, MultipliesByTheTransposeOfAnyShape) {
  using T = TypeParam;
  for (const Kernels<T>* k : available_kernels<T>()) {
    for (const auto [rows, columns, summed] : {std::array<std::size_t, 3>{1, 1, 2},
                                               {7, 65, 34},
                                               {6, 64, 64},
                                               {13, 40, 18},
                                               {64, 130, 96}}) {
      const auto x = numbers<T>(rows * summed, 1);
      const auto w = numbers<float>(columns * summed, 2);
      std::vector<std::uint32_t> panels(panel_words<T>(summed, columns));
      k->pack_transposed(w.data(), summed, columns, summed, panels.data());
      std::vector<float> c(rows * columns), base = numbers<float>(rows * columns, 3);
      Product p{.a = words(x),
                .a_row = summed / kGroup<T>,
                .a_group = 1,
                .rows = rows,
                .columns = columns,
                .groups = groups_of<T>(summed),
                .panels = panels.data(),
                .panel_groups = groups_of<T>(summed),
                .into = Into::kFloatAdded,
                .c = c.data(),
                .base = base.data(),
                .c_row = columns,
                .base_row = columns};
      k->multiply(p);
      std::vector<T> stored(rows * columns);
      p.into = Into::kStored;
      p.t = stored.data();
      k->multiply(p);
      for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t n = 0; n < columns; ++n) {
          double sum = 0;
          for (std::size_t s = 0; s < summed; ++s)
            sum += static_cast<double>(to_float(x[r * summed + s])) *
                   static_cast<double>(to_float(rounded<T>(w[n * summed + s])));
          ASSERT_NEAR(c[r * columns + n], sum + base[r * columns + n], this->kExact) << k->name;
          ASSERT_NEAR(to_float(stored[r * columns + n]), sum,
                      this->kTolerance * (1 + std::abs(sum)))
              << k->name;
        }
    }
  }
}

TYPED_TEST(KernelsTest, MultipliesByRowsAsTheyStandAndByFoldedRows) {
  using T = TypeParam;
  constexpr std::size_t kSummed = 37, kRows = 70, kColumns = 50;  // cᵀ: both operands from panels
  for (const Kernels<T>* k : available_kernels<T>()) {
    const auto dy = numbers<T>(kSummed * kRows, 1), x = numbers<T>(kSummed * kColumns, 2);
    std::vector<std::uint32_t> dy_panels(panel_words<T>(kSummed, kRows)),
        x_panels(panel_words<T>(kSummed, kColumns));
    k->pack_stored_rows(dy.data(), kRows, kSummed, kRows, dy_panels.data());
    k->pack_stored_rows(x.data(), kColumns, kSummed, kColumns, x_panels.data());
    std::vector<float> c(kRows * kColumns);
    const std::size_t groups = groups_of<T>(kSummed);
    for (std::size_t row = 0; row < kRows; row += kPanelColumns)
      k->multiply({.a = dy_panels.data() + row * groups,
                   .a_row = 1,
                   .a_group = kPanelColumns,
                   .rows = std::min(kPanelColumns, kRows - row),
                   .columns = kColumns,
                   .groups = groups,
                   .panels = x_panels.data(),
                   .panel_groups = groups,
                   .c = c.data() + row * kColumns,
                   .c_row = kColumns});
    for (std::size_t r = 0; r < kRows; ++r)
      for (std::size_t n = 0; n < kColumns; ++n) {
        double sum = 0;
        for (std::size_t s = 0; s < kSummed; ++s)
          sum += static_cast<double>(to_float(dy[s * kRows + r])) *
                 static_cast<double>(to_float(x[s * kColumns + n]));
        ASSERT_NEAR(c[r * kColumns + n], sum, this->kExact) << k->name;
      }
  }
}

TYPED_TEST(KernelsTest, TurnsLogitsIntoLossAndGradient) {
  using T = TypeParam;
  constexpr std::size_t kVocab = 83, kTarget = 81;
  for (const Kernels<T>* k : available_kernels<T>()) {
    auto logits = numbers<float>(kVocab, 5);
    for (float& logit : logits) logit *= 20;
    double total = 0;
    for (float logit : logits) total += std::exp(static_cast<double>(logit));
    const auto original = logits;
    std::vector<T> gradient(kVocab);
    const float loss = k->cross_entropy(logits.data(), kVocab, kTarget, 0.5f, gradient.data());
    EXPECT_NEAR(loss, std::log(total) - static_cast<double>(original[kTarget]), 1e-5) << k->name;
    for (std::size_t i = 0; i < kVocab; ++i) {
      const double p = std::exp(static_cast<double>(original[i])) / total - (i == kTarget ? 1 : 0);
      EXPECT_NEAR(to_float(gradient[i]), 0.5 * p, this->kTolerance) << k->name;
    }
  }
}

TYPED_TEST(KernelsTest, RotatesBackToWhereItWas) {
  using T = TypeParam;
  constexpr std::size_t kHeads = 3, kWidth = 22, kPositions = 5;
  std::vector<float> cosines(kPositions * kWidth / 2), sines(cosines.size());
  for (std::size_t i = 0; i < sines.size(); ++i) {
    cosines[i] = std::cos(static_cast<float>(i));
    sines[i] = std::sin(static_cast<float>(i));
  }
  for (const Kernels<T>* k : available_kernels<T>()) {
    const auto before = numbers<T>(kPositions * kHeads * kWidth, 7);
    auto x = before;
    k->rotate(x.data(), kHeads * kWidth, kHeads, kWidth, cosines.data(), sines.data(), kPositions,
              false);
    k->rotate(x.data(), kHeads * kWidth, kHeads, kWidth, cosines.data(), sines.data(), kPositions,
              true);
    for (std::size_t i = 0; i < x.size(); ++i)
      ASSERT_NEAR(to_float(x[i]), to_float(before[i]), this->kTolerance * 2) << k->name;
  }
}

TYPED_TEST(KernelsTest, GatesAndItsGradientIsTheSlope) {
  using T = TypeParam;
  constexpr std::size_t kWidth = 19;
  for (const Kernels<T>* k : available_kernels<T>()) {
    auto gate_up = numbers<T>(2 * kWidth, 8);
    const auto original = gate_up;
    std::vector<T> act(kWidth), d_act = numbers<T>(kWidth, 9);
    const auto d = d_act;
    k->swiglu(gate_up.data(), 1, kWidth, act.data());
    k->swiglu_backward(gate_up.data(), 1, kWidth, d_act.data());
    for (std::size_t i = 0; i < kWidth; ++i) {
      const double g = to_float(original[i]), u = to_float(original[kWidth + i]),
                   s = 1 / (1 + std::exp(-g));
      EXPECT_NEAR(to_float(act[i]), g * s * u, this->kTolerance) << k->name;
      EXPECT_NEAR(to_float(d_act[i]), g * s * u, this->kTolerance) << k->name;
      EXPECT_NEAR(to_float(gate_up[i]), to_float(d[i]) * u * (s + g * s * (1 - s)),
                  this->kTolerance)
          << k->name;
      EXPECT_NEAR(to_float(gate_up[kWidth + i]), to_float(d[i]) * g * s, this->kTolerance)
          << k->name;
    }
  }
}

TYPED_TEST(KernelsTest, AttendsToNothingButThePast) {
  using T = TypeParam;
  constexpr std::size_t kPositions = 77, kWidth = 10;
  for (const Kernels<T>* k : available_kernels<T>()) {
    auto q = numbers<T>(kPositions * kWidth, 1), keys = numbers<T>(kPositions * kWidth, 2);
    auto values = numbers<T>(kPositions * kWidth, 3);
    std::vector<T> out(kPositions * kWidth);
    std::vector<float> log_sum(kPositions);
    std::vector<std::uint32_t> scratch(k->attention_words(kPositions, kWidth),
                                       0x7fc07fc0);  // NaN: must not be seen
    k->attention({.positions = kPositions,
                  .width = kWidth,
                  .queries = 1,
                  .row = kWidth,
                  .out_row = kWidth,
                  .q = q.data(),
                  .k = keys.data(),
                  .v = values.data(),
                  .out = out.data(),
                  .log_sum = log_sum.data()},
                 scratch.data());
    for (std::size_t t = 0; t < kPositions; ++t) {
      std::vector<double> p(t + 1);
      double total = 0;
      for (std::size_t j = 0; j <= t; ++j) {
        double score = 0;
        for (std::size_t i = 0; i < kWidth; ++i)
          score += static_cast<double>(to_float(q[t * kWidth + i])) *
                   static_cast<double>(to_float(keys[j * kWidth + i]));
        total += p[j] = std::exp(score / std::sqrt(static_cast<double>(kWidth)));
      }
      ASSERT_NEAR(log_sum[t], std::log(total), this->kTolerance) << k->name;
      for (std::size_t i = 0; i < kWidth; ++i) {
        double mixed = 0;
        for (std::size_t j = 0; j <= t; ++j)
          mixed += p[j] / total * static_cast<double>(to_float(values[j * kWidth + i]));
        ASSERT_NEAR(to_float(out[t * kWidth + i]), mixed, this->kTolerance)
            << k->name << " at " << t;
      }
    }
  }
}

TEST(Kernels, MultiplyAMatrixWithAVector) {
  constexpr std::size_t kRows = 11, kColumns = 53;
  const auto matrix = numbers<float>(kRows * kColumns, 1), x = numbers<float>(kColumns, 2);
  for (const Kernels<float>* k : available_kernels<float>()) {
    std::vector<float> y(kRows);
    k->matrix_vector(matrix.data(), kRows, kColumns, x.data(), y.data());
    for (std::size_t r = 0; r < kRows; ++r) {
      double sum = 0;
      for (std::size_t c = 0; c < kColumns; ++c)
        sum += static_cast<double>(matrix[r * kColumns + c] * x[c]);
      EXPECT_NEAR(y[r], sum, 1e-5) << k->name;
    }
  }
}

}  // namespace
}  // namespace muster::trainer
