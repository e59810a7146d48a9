// Products of sparse updates with a dense array: what of an update lies in one tensor group, in
// chunks, each summed by a team in fp64 in one order.
//
// Thread safety: values, pure functions; one team.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "compression/payload.h"
#include "cuda/team.h"
#include "state/tensor_groups.h"

namespace muster::gpu {

struct ProductChunk {
  std::uint64_t begin = 0;
  std::uint32_t count = 0;
};

struct ProductTask {
  const float* array = nullptr;
  const std::uint64_t* indices = nullptr;
  const float* values = nullptr;
  const ProductChunk* chunks = nullptr;
  double* sums = nullptr;  // of each chunk
};

template <class Team>
MUSTER_TEAM void multiply_chunk(Team& team, const ProductTask& task, std::uint64_t block) {
  const ProductChunk chunk = task.chunks[block];
  typename Team::template Own<double> sums;
  team.each([&](unsigned t) {
    double sum = 0;
    for (std::uint64_t i = chunk.begin + t; i < chunk.begin + chunk.count; i += kThreads)
      sum += static_cast<double>(task.values[i]) * static_cast<double>(task.array[task.indices[i]]);
    sums.of(t) = sum;
  });
  const double total = team.total(sums);
  team.each([&](unsigned t) {
    if (t == 0) task.sums[block] = total;
  });
}

// Updates side by side, cut into chunks, none of which crosses a border between tensor groups.
struct ProductPlan {
  std::vector<std::uint64_t> indices;
  std::vector<float> values;
  std::vector<ProductChunk> chunks;
  std::vector<std::size_t> places;  // of each chunk among the sums of all updates and groups
  std::size_t sums = 0;

  ProductPlan(std::span<const compression::SparseUpdate* const> updates,
              const state::TensorGroups& groups) {
    constexpr std::uint64_t kChunkEntries = 16384;
    for (const compression::SparseUpdate* update : updates) {
      const std::uint64_t before = indices.size();
      indices.insert(indices.end(), update->indices.begin(), update->indices.end());
      values.insert(values.end(), update->values.begin(), update->values.end());
      auto first = update->indices.begin();
      for (const auto& piece : groups.pieces) {
        const auto end = std::lower_bound(first, update->indices.end(), piece.parameters.end);
        const auto from = before + static_cast<std::uint64_t>(first - update->indices.begin());
        const auto count = static_cast<std::uint64_t>(end - first);
        for (std::uint64_t done = 0; done < count; done += kChunkEntries) {
          chunks.push_back(
              {from + done, static_cast<std::uint32_t>(std::min(kChunkEntries, count - done))});
          places.push_back(sums + piece.group);
        }
        first = end;
      }
      sums += groups.count;
    }
  }
  // From the chunks' sums.
  [[nodiscard]] std::vector<double> collect(std::span<const double> chunk_sums) const {
    std::vector<double> collected(sums);
    for (std::size_t i = 0; i < chunk_sums.size(); ++i) collected[places[i]] += chunk_sums[i];
    return collected;
  }
};

}  // namespace muster::gpu
