// The factory behind muster_make_matmul_library, the one symbol of libmuster_torch.so. See
// matmul_library.h.
#include <ATen/ATen.h>

#include "base/check.h"
#include "trainer/llama/matmul_library.h"
#include "trainer/torch/torch_scope.h"

namespace muster::trainer {
namespace {

template <class T>
constexpr at::ScalarType kType = sizeof(T) == 2 ? at::kBFloat16 : at::kFloat;

template <class T>
at::Tensor view(const T* values, std::size_t rows, std::size_t columns, at::ScalarType type) {
  return at::from_blob(const_cast<T*>(values),
                       {static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns)},
                       {static_cast<std::int64_t>(row_numbers<T>(columns)), 1}, type);
}

template <class T>
class TorchMatmul final : public Matmul<T> {
 public:
  explicit TorchMatmul(unsigned threads) : threads_(static_cast<int>(threads)) {}

  void load_forward(const Weight& weight) override { forward_ = loaded(weight); }
  void load_backward(const Weight& weight) override { backward_ = loaded(weight); }
  void forward(const T* x, std::size_t rows, const Target<T>& target) override {
    multiply(x, rows, forward_.t(), target);
  }
  void backward(const T* dy, std::size_t rows, const Target<T>& target) override {
    multiply(dy, rows, backward_, target);
  }

  void add_weight_gradient(const T* dy, const T* x, std::size_t rows, std::size_t out,
                           std::size_t in, float* gradient) override {
    const TorchScope scope(threads_);
    const at::Tensor product =
        at::mm(view(dy, rows, out, kType<T>).t(), view(x, rows, in, kType<T>));
    view(gradient, out, in, at::kFloat).add_(product);
  }

 private:
  at::Tensor loaded(const Weight& weight) {
    const TorchScope scope(threads_);
    return view(weight.values, weight.out, weight.in, at::kFloat).to(kType<T>);
  }

  void multiply(const T* a, std::size_t rows, const at::Tensor& b, const Target<T>& target) {
    const TorchScope scope(threads_);
    const auto summed = static_cast<std::size_t>(b.size(0)),
               columns = static_cast<std::size_t>(b.size(1));
    const at::Tensor x = view(a, rows, summed, kType<T>);
    if (target.into == Into::kStored) {
      at::Tensor stored = view(target.stored, rows, columns, kType<T>);
      at::mm_out(stored, x, b);
      return;
    }
    at::Tensor floats = view(target.floats, rows, columns, at::kFloat);
    if (target.into == Into::kFloat)
      floats.copy_(at::mm(x, b));
    else
      at::add_out(floats, view(target.base, rows, columns, at::kFloat),
                  at::mm(x, b).to(at::kFloat));
  }

  int threads_;
  at::Tensor forward_, backward_;
};

class TorchLibrary final : public MatmulLibrary {
 public:
  std::unique_ptr<Matmul<float>> make_float(unsigned threads) const override {
    return std::make_unique<TorchMatmul<float>>(threads);
  }
  std::unique_ptr<Matmul<Bf16>> make_bf16(unsigned threads) const override {
    return std::make_unique<TorchMatmul<Bf16>>(threads);
  }
};

}  // namespace
}  // namespace muster::trainer

extern "C" const muster::trainer::MatmulLibrary* muster_make_matmul_library(int abi) {
  if (abi != muster::trainer::kMatmulAbi) return nullptr;
  return new muster::trainer::TorchLibrary();
}
