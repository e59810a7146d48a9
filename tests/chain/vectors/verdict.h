// What checking one case of a vector file found. Thread safety: none; one owner.
#pragma once

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "tests/chain/vectors/json_fields.h"

namespace muster::chain::vectors {

struct Mismatch {
  std::string field;
  std::string expected;
  std::string got;
};

class Verdict {
 public:
  // A kind of case that this program does not run, and says so.
  [[nodiscard]] static Verdict skipped(std::string kind) {
    Verdict verdict;
    verdict.skipped_kind_ = std::move(kind);
    return verdict;
  }
  [[nodiscard]] static Verdict unknown_kind(const std::string& kind) {
    Verdict verdict;
    verdict.add("kind", "a kind that is known", kind);
    return verdict;
  }

  [[nodiscard]] bool passed() const { return mismatches_.empty() && skipped_kind_.empty(); }
  [[nodiscard]] const std::string& skipped_kind() const { return skipped_kind_; }
  [[nodiscard]] const std::vector<Mismatch>& mismatches() const { return mismatches_; }

  void add(std::string field, std::string expected, std::string got) {
    mismatches_.push_back({std::move(field), std::move(expected), std::move(got)});
  }

  template <Integer T, Integer U>
  void equal(const std::string& field, T expected, U got) {
    if (text(expected) != text(got)) add(field, text(expected), text(got));
  }
  template <Integer Bits, int kFraction>
  void equal(const std::string& field, Fixed<Bits, kFraction> expected,
             Fixed<Bits, kFraction> got) {
    equal(field, expected.bits, got.bits);
  }
  void equal(const std::string& field, const std::string& expected, const std::string& got) {
    if (expected != got) add(field, expected, got);
  }
  template <class T>
  void equal(const std::string& field, const std::vector<T>& expected, const std::vector<T>& got) {
    equal(field + ".size", expected.size(), got.size());
    for (std::size_t i = 0; i < std::min(expected.size(), got.size()); ++i)
      equal(field + "[" + std::to_string(i) + "]", static_cast<T>(expected[i]),
            static_cast<T>(got[i]));
  }
  // Integers that may differ by `tolerance`.
  template <Integer T>
  void near(const std::string& field, T expected, T got, std::uint64_t tolerance) {
    const Uint128 distance = static_cast<Uint128>(expected < got ? got : expected) -
                             static_cast<Uint128>(expected < got ? expected : got);
    if (distance > tolerance) add(field, text(expected), text(got));
  }
  // Decimals, with the absolute tolerance that the file gives.
  void near(const std::string& field, double expected, double got, double tolerance) {
    if (!(std::fabs(expected - got) <= tolerance))
      add(field, std::to_string(expected), std::to_string(got));
  }

 private:
  template <Integer T>
  static std::string text(T value) {
    if constexpr (kIsSigned<T>) {
      return to_text(static_cast<Int128>(value));
    } else {
      return to_text(static_cast<Uint128>(value));
    }
  }

  std::string skipped_kind_;
  std::vector<Mismatch> mismatches_;
};

}  // namespace muster::chain::vectors
