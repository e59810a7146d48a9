#include "trainer/torch/torch_scope.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <xmmintrin.h>

namespace muster::trainer {
namespace {

constexpr std::uint32_t kFlushToZero = 0x8000;
constexpr std::uint32_t kDenormalsAreZero = 0x0040;

TEST(TorchScope, PutsTheFloatingPointModeBack) {
  const std::uint32_t before = _mm_getcsr();
  {
    const TorchScope scope(1);
    _mm_setcsr(before | kFlushToZero | kDenormalsAreZero);
  }
  EXPECT_EQ(_mm_getcsr(), before);
}

TEST(TorchScope, SetsTheNumberOfThreadsOfTheCallingThread) {
  const TorchScope two(2);
  EXPECT_EQ(at::get_num_threads(), 2);
  const TorchScope one(1);
  EXPECT_EQ(at::get_num_threads(), 1);
}

TEST(TorchScope, TurnsAutogradOff) {
  EXPECT_TRUE(c10::GradMode::is_enabled());
  {
    const TorchScope scope(1);
    EXPECT_FALSE(c10::GradMode::is_enabled());
  }
  EXPECT_TRUE(c10::GradMode::is_enabled());
}

}  // namespace
}  // namespace muster::trainer
