#include "trainer/run/matmul_peak.h"

#include <algorithm>
#include <vector>

#include "trainer/llama/matmul.h"

namespace muster::trainer {
namespace {

constexpr std::size_t kRows = 1024, kWidth = 512;

template <class T>
double peak_of(Team& team, double seconds_max, const std::function<double()>& seconds) {
  const auto kernels = available_kernels<T>();
  if (kernels.empty()) return 0;
  const auto matmul = make_panel_matmul<T>(*kernels.front(), team);
  const std::vector<float> weight(kWidth * kWidth, 0.5f);
  const std::vector<T> x(kRows * kWidth);
  std::vector<float> y(kRows * kWidth);
  matmul->load_forward({weight.data(), kWidth, kWidth});
  double best = 0;
  const double begun = seconds();
  double before = begun;
  do {
    matmul->forward(x.data(), kRows, Target<T>::to(y.data()));
    const double now = seconds();
    if (now > before) best = std::max(best, 2.0 * kRows * kWidth * kWidth / (now - before));
    before = now;
  } while (before - begun < seconds_max);
  return best;
}

}  // namespace

double matmul_peak(Team& team, bool stored_bf16, double seconds_max,
                   const std::function<double()>& seconds) {
  return stored_bf16 ? peak_of<Bf16>(team, seconds_max, seconds)
                     : peak_of<float>(team, seconds_max, seconds);
}

}  // namespace muster::trainer
