#include <gtest/gtest.h>

#include <fstream>

#include "cuda/card_faults.h"
#include "cuda/gpu.h"

namespace muster::gpu {
namespace {

// Whether a library whose name has this word is loaded into this process.
bool is_loaded(const std::string& word) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    if (line.find(word) != std::string::npos) return true;
  return false;
}

TEST(Cards, AreNotLoadedUnlessAskedFor) {
  EXPECT_FALSE(is_loaded("libmuster_cuda"));
  EXPECT_FALSE(is_loaded("libcuda."));
}

TEST(Cards, SayWhyTheyCannotBeLoaded) {
  const auto cards = load_cards("/nonexistent");
  ASSERT_FALSE(cards.has_value());
  EXPECT_EQ(cards.error().code, Errc::kNotFound);
  EXPECT_NE(cards.error().message.find("build"), std::string::npos) << cards.error().message;
}

TEST(Cards, AreOneSentenceAndTheMendWhenTheyFail) {
  EXPECT_EQ(no_card(0).message, "no NVIDIA driver is installed; install one, or train on the CPU");
  EXPECT_EQ(no_card(13000).message,
            "the NVIDIA driver sees no card; check nvidia-smi and CUDA_VISIBLE_DEVICES");
  EXPECT_EQ(driver_too_old(12040, 13000).message,
            "the NVIDIA driver supports CUDA 12.4, muster needs 13.0; update the driver");
  EXPECT_EQ(card_too_old("Tesla T4", 7, 5).message,
            "Tesla T4 has compute capability 7.5, muster is built for 8.0 and newer; use a newer "
            "card or the CPU");
  EXPECT_EQ(no_such_card(3, 2).message, "there is no card 3; the driver sees 2, counted from 0");
  EXPECT_EQ(too_little_memory("A100", std::uint64_t{3} << 30, std::uint64_t{1} << 29).message,
            "A100 has 0.5 GiB of memory free, 3.0 GiB more are needed; stop what else runs on it "
            "or use a larger "
            "card");
}

}  // namespace
}  // namespace muster::gpu
