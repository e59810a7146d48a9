#include "trainer/data.h"

#include <algorithm>

namespace muster::trainer {

Result<at::Tensor> Data::batch(std::span<const std::uint64_t> ids) const {
  const std::int64_t width = context_ + 1;
  at::Tensor batch = at::empty({static_cast<std::int64_t>(ids.size()), width}, at::kLong);
  auto* data = batch.data_ptr<std::int64_t>();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] >= sequences())
      return Error{Errc::kNotFound, "sequence " + std::to_string(ids[i]) + " of a data set of " +
                                        std::to_string(sequences())};
    const std::span<std::int64_t> row(data + static_cast<std::int64_t>(i) * width,
                                      static_cast<std::size_t>(width));
    MUSTER_TRY_STATUS(file_.read(ids[i] * static_cast<std::uint64_t>(width), row));
    const std::int64_t largest = *std::max_element(row.begin(), row.end());
    if (largest >= vocab_)
      return Error{Errc::kInvalidArgument,
                   "sequence " + std::to_string(ids[i]) + " has token " + std::to_string(largest) +
                       ", the model a vocabulary of " + std::to_string(vocab_)};
  }
  return batch;
}

}  // namespace muster::trainer
