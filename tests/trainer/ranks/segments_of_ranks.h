// Rounds of one rank's share, and what ranks made of them to compare: their segments as one dense
// update, and how alike two of these are.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <span>
#include <vector>

#include "compression/payload.h"
#include "trainer/rounds/round_share.h"

namespace muster::trainer {

// All rounds are delivered but the last, which is only encoded. `losses`, unless null, gets each
// round's mean loss, `segments` the last one's.
inline void train_rounds(RoundShare& share,
                         const std::function<protocol::TrainTask(std::uint64_t)>& task_of,
                         const compression::PayloadFormat& format, Range rounds,
                         std::vector<double>* losses, std::vector<Bytes>* segments) {
  const std::atomic<bool> never{false};
  for (std::uint64_t round = rounds.begin; round < rounds.end; ++round) {
    const auto report = share.train(task_of(round), never, [](std::uint32_t) {});
    ASSERT_TRUE(report) << report.error().message;
    if (losses != nullptr) losses->push_back(report->mean_loss);
    *segments = share.encode(format).value();
    if (round + 1 < rounds.end) {
      ASSERT_TRUE(share.settle(protocol::Settlement::kDelivered));
    }
  }
}

// `segments`: each rank's, in the ranks' order.
inline std::vector<float> dense_update(const compression::Layout& layout,
                                       const compression::PayloadFormat& format,
                                       const std::vector<std::vector<Bytes>>& segments) {
  compression::Payload payload{format, {}};
  for (const auto& of_rank : segments)
    payload.segments.insert(payload.segments.end(), of_rank.begin(), of_rank.end());
  const auto update = compression::decode(layout, payload).value();
  std::vector<float> values(layout.parameters());
  for (std::size_t i = 0; i < update.indices.size(); ++i)
    values[update.indices[i]] = update.values[i];
  return values;
}

inline double cosine(std::span<const float> a, std::span<const float> b) {
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    aa += static_cast<double>(a[i]) * static_cast<double>(a[i]);
    bb += static_cast<double>(b[i]) * static_cast<double>(b[i]);
  }
  return ab / std::sqrt(aa * bb);
}

}  // namespace muster::trainer
