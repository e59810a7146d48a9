#include "cuda/card_faults.h"

#include <cstdio>

namespace muster::gpu {
namespace {

std::string gib_text(std::uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f GiB", static_cast<double>(bytes) / (1u << 30));
  return text;
}

}  // namespace

std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

Error no_card(int driver) {
  if (driver == 0)
    return {Errc::kNotFound, "no NVIDIA driver is installed; install one, or train on the CPU"};
  return {Errc::kNotFound,
          "the NVIDIA driver sees no card; check nvidia-smi and CUDA_VISIBLE_DEVICES"};
}

Error driver_too_old(int driver, int needed) {
  return {Errc::kVersion, "the NVIDIA driver supports CUDA " + version_text(driver) +
                              ", muster needs " + version_text(needed) + "; update the driver"};
}

Error card_too_old(std::string_view name, int major, int minor) {
  return {Errc::kVersion, std::string(name) + " has compute capability " + std::to_string(major) +
                              "." + std::to_string(minor) + ", muster is built for " +
                              std::to_string(kOldestCapabilityMajor) +
                              ".0 and newer; use a newer card or the CPU"};
}

Error no_such_card(int index, int count) {
  return {Errc::kNotFound, "there is no card " + std::to_string(index) + "; the driver sees " +
                               std::to_string(count) + ", counted from 0"};
}

Error too_little_memory(std::string_view card, std::uint64_t needed_bytes,
                        std::uint64_t free_bytes) {
  return {Errc::kTooLarge, std::string(card) + " has " + gib_text(free_bytes) +
                               " of memory free, " + gib_text(needed_bytes) +
                               " more are needed; stop what else runs on it or use a larger card"};
}

}  // namespace muster::gpu
