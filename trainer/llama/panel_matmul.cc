#include <algorithm>

#include "trainer/llama/buffer.h"
#include "trainer/llama/matmul.h"

namespace muster::trainer {
namespace {

// Of a weight gradient: rows summed at a time, and columns of dy packed at a time.
constexpr std::size_t kRowsAtOnce = 1024, kColumnsAtOnce = 4096;
// Longest sum that stays in one tile; longer ones come back for another part.
constexpr std::size_t kSummedAtOnce = 4096;

template <class T>
const std::uint32_t* words(const T* values) {
  return reinterpret_cast<const std::uint32_t*>(values);
}

template <class T>
class PanelMatmul final : public Matmul<T> {
 public:
  PanelMatmul(const Kernels<T>& kernels, Team& team) : kernels_(kernels), team_(team) {}

  void load_forward(const Weight& weight) override {
    forward_ = weight;
    forward_panels_.reserve(panel_words<T>(weight.in, weight.out));
    const std::size_t groups = groups_of<T>(weight.in);
    team_.split(weight.out, kPanelColumns, [&](std::size_t begin, std::size_t end) {
      kernels_.pack_transposed(weight.values + begin * weight.in, weight.in, end - begin, weight.in,
                               forward_panels_.data() + begin * groups);
    });
  }

  void forward(const T* x, std::size_t rows, const Target<T>& target) override {
    multiply(x, rows, forward_.in, forward_.out, forward_panels_.data(), target);
  }

  void load_backward(const Weight& weight) override {
    backward_ = weight;
    backward_panels_.reserve(panel_words<T>(weight.out, weight.in));
    const std::size_t groups = groups_of<T>(weight.out);
    team_.split(weight.in, kPanelColumns, [&](std::size_t begin, std::size_t end) {
      kernels_.pack_rows(weight.values + begin, weight.in, weight.out, end - begin,
                         backward_panels_.data() + begin * groups);
    });
  }

  void backward(const T* dy, std::size_t rows, const Target<T>& target) override {
    multiply(dy, rows, backward_.out, backward_.in, backward_panels_.data(), target);
  }

  void add_weight_gradient(const T* dy, const T* x, std::size_t rows, std::size_t out,
                           std::size_t in, float* gradient) override {
    const std::size_t columns_max = std::min(out, kColumnsAtOnce);
    dy_panels_.reserve(panel_words<T>(kRowsAtOnce, columns_max));
    x_panels_.reserve(panel_words<T>(kRowsAtOnce, in));
    for (std::size_t row = 0; row < rows; row += kRowsAtOnce) {
      const std::size_t summed = std::min(kRowsAtOnce, rows - row);
      for (std::size_t column = 0; column < out; column += kColumnsAtOnce)
        add_part(dy + row * row_numbers<T>(out) + column, x + row * row_numbers<T>(in), summed,
                 std::min(kColumnsAtOnce, out - column), out, in, column == 0,
                 gradient + column * in);
    }
  }

 private:
  void multiply(const T* a, std::size_t rows, std::size_t summed, std::size_t columns,
                const std::uint32_t* panels, const Target<T>& target) {
    const std::size_t groups = groups_of<T>(summed), row_words = groups;
    const std::size_t part =
        target.into == Into::kStored ? groups : std::min(groups, groups_of<T>(kSummedAtOnce));
    team_.split(rows, 6, [&](std::size_t begin, std::size_t end) {
      Product p{.a = words(a) + begin * row_words,
                .a_row = row_words,
                .a_group = 1,
                .rows = end - begin,
                .columns = columns,
                .groups = part,
                .panels = panels,
                .panel_groups = groups,
                .into = target.into,
                .c_row = columns,
                .base_row = columns};
      if (target.floats != nullptr) p.c = target.floats + begin * columns;
      if (target.base != nullptr) p.base = target.base + begin * columns;
      if (target.stored != nullptr) p.t = target.stored + begin * columns;
      for (std::size_t done = 0; done < groups; done += part) {
        p.groups = std::min(part, groups - done);
        kernels_.multiply(p);
        p.a += part;
        p.panels += part * kPanelColumns;
        p.into = target.into == Into::kStored ? Into::kStored : Into::kFloatAdded;
        p.base = p.c;
      }
    });
  }

  void add_part(const T* dy, const T* x, std::size_t summed, std::size_t columns, std::size_t out,
                std::size_t in, bool new_rows, float* gradient) {
    const std::size_t groups = groups_of<T>(summed);
    team_.run([&](unsigned index) {
      pack_share(index, dy, row_numbers<T>(out), summed, columns, dy_panels_.data());
      if (new_rows) pack_share(index, x, row_numbers<T>(in), summed, in, x_panels_.data());
    });
    team_.split(columns, kPanelColumns, [&](std::size_t begin, std::size_t end) {
      for (std::size_t column = begin; column < end; column += kPanelColumns)
        kernels_.multiply({.a = dy_panels_.data() + column * groups,
                           .a_row = 1,
                           .a_group = kPanelColumns,
                           .rows = std::min(kPanelColumns, end - column),
                           .columns = in,
                           .groups = groups,
                           .panels = x_panels_.data(),
                           .panel_groups = groups,
                           .into = Into::kFloatAdded,
                           .c = gradient + column * in,
                           .base = gradient + column * in,
                           .c_row = in,
                           .base_row = in});
    });
  }

  // One thread's share of the panels of a matrix [summed, columns].
  void pack_share(unsigned index, const T* matrix, std::size_t row, std::size_t summed,
                  std::size_t columns, std::uint32_t* panels) {
    const std::size_t count = (columns + kPanelColumns - 1) / kPanelColumns, n = team_.size();
    const std::size_t begin = count * index / n * kPanelColumns;
    const std::size_t end = std::min(columns, count * (index + 1) / n * kPanelColumns);
    if (begin < end)
      kernels_.pack_stored_rows(matrix + begin, row, summed, end - begin,
                                panels + begin * groups_of<T>(summed));
  }

  const Kernels<T>& kernels_;
  Team& team_;
  Weight forward_, backward_;
  Buffer<std::uint32_t> forward_panels_, backward_panels_, dy_panels_, x_panels_;
};

}  // namespace

template <class T>
std::unique_ptr<Matmul<T>> make_panel_matmul(const Kernels<T>& kernels, Team& team) {
  return std::make_unique<PanelMatmul<T>>(kernels, team);
}

template std::unique_ptr<Matmul<float>> make_panel_matmul(const Kernels<float>&, Team&);
template std::unique_ptr<Matmul<Bf16>> make_panel_matmul(const Kernels<Bf16>&, Team&);

}  // namespace muster::trainer
