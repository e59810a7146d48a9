#include "trainer/device.h"

#include "trainer/cpu/cpu_device.h"

namespace muster::trainer {
namespace {

Result<std::shared_ptr<gpu::Card>> open_card(const state::ModelSpec& spec,
                                             const std::filesystem::path& libraries,
                                             unsigned index) {
  MUSTER_TRY_STATUS(gpu::check_model(spec));
  MUSTER_TRY(const auto cards, gpu::load_cards(libraries));
  MUSTER_TRY(auto card, cards->open(static_cast<int>(index)));
  return std::shared_ptr<gpu::Card>(std::move(card));
}

}  // namespace

Result<OpenDevice> open_device(DeviceChoice choice, const state::ModelSpec& spec,
                               const ComputeOptions& compute, unsigned threads, unsigned index) {
  if (choice != DeviceChoice::kCpu) {
    auto card = open_card(spec, compute.libraries, index);
    if (card) return OpenDevice{*card, *card};
    if (choice == DeviceChoice::kCuda)
      return Error{card.error().code, "--device cuda: " + card.error().message +
                                          " (muster doctor says what this machine has)"};
  }
  return OpenDevice{std::make_shared<CpuDevice>(compute, threads), nullptr};
}

}  // namespace muster::trainer
