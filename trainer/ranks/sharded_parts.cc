#include "trainer/ranks/sharded_parts.h"

#include <algorithm>

namespace muster::trainer {

ShardedParts::ShardedParts(const Shape& shape, Collective& collective, std::vector<Range> owned,
                           bool shards_parameters)
    : shape_(shape),
      collective_(collective),
      owned_(std::move(owned)),
      shards_parameters_(shards_parameters) {}

void ShardedParts::begin(std::span<const float> parameters, std::span<float> gradient) {
  const std::uint64_t own = owned_[collective_.rank()].size();
  MUSTER_CHECK(
      gradient.size() == own && parameters.size() == (shards_parameters_ ? own : shape_.parameters),
      "numbers of another share");
  parameters_ = parameters;
  gradient_ = gradient;
}

ShardedParts::Slot* ShardedParts::find(Slots& slots, std::size_t part) {
  const auto found = std::ranges::find(slots, part, &Slot::part);
  return found == slots.end() ? nullptr : &*found;
}

ShardedParts::Slot* ShardedParts::free_for(Slots& slots, std::size_t part) const {
  const bool is_large = part_range(shape_, part).size() > shape_.layer_parameters;
  const auto candidates = is_large ? std::span(slots).first(1) : std::span(slots).subspan(1);
  Slot* best = nullptr;  // the one that was used longest ago: its call is the likeliest to be over
  for (Slot& slot : candidates)
    if (slot.part == kNone && (best == nullptr || slot.ticket < best->ticket)) best = &slot;
  return best;
}

void ShardedParts::gather(Slot& slot, std::size_t part) {
  const Range range = part_range(shape_, part), mine = owned_[collective_.rank()],
              in = common(mine, range);
  slot.part = part;
  slot.values.resize(range.size());
  if (!in.empty())
    std::ranges::copy(part_of(parameters_, in, mine.begin),
                      part_of(std::span(slot.values), in, range.begin).begin());
  slot.ticket =
      queue_.post([this, values = std::span(slot.values), ranges = within(owned_, range)] {
        return collective_.all_gather(values, ranges);
      });
}

std::span<const float> ShardedParts::parameters(std::size_t part) {
  if (!shards_parameters_) return part_of(parameters_, part_range(shape_, part));
  expect(part);
  Slot* slot = find(gathered_, part);
  MUSTER_CHECK(slot != nullptr, "more parts at once than there is room for");
  queue_.wait(slot->ticket);
  return slot->values;
}

void ShardedParts::expect(std::size_t part) {
  if (!shards_parameters_ || find(gathered_, part) != nullptr) return;
  if (Slot* free = free_for(gathered_, part)) gather(*free, part);
}

void ShardedParts::release(std::size_t part) {
  if (Slot* slot = find(gathered_, part)) slot->part = kNone;
}

std::span<float> ShardedParts::gradient(std::size_t part) {
  if (Slot* open = find(sums_, part)) return open->values;
  Slot* slot = free_for(sums_, part);
  MUSTER_CHECK(slot != nullptr, "more gradients at once than there is room for");
  queue_.wait(slot->ticket);
  slot->part = part;
  slot->values.assign(part_range(shape_, part).size(), 0.0f);
  return slot->values;
}

void ShardedParts::gradient_done(std::size_t part) {
  Slot* slot = find(sums_, part);
  MUSTER_CHECK(slot != nullptr, "a gradient that was not begun");
  slot->part = kNone;
  const Range range = part_range(shape_, part), mine = owned_[collective_.rank()],
              in = common(mine, range);
  slot->ticket = queue_.post(
      [this, values = std::span<const float>(slot->values), ranges = within(owned_, range),
       to = in.empty() ? std::span<float>() : part_of(gradient_, in, mine.begin)]() -> Status {
        received_.resize(to.size());
        MUSTER_TRY_STATUS(collective_.reduce_scatter(values, ranges, received_));
        for (std::size_t i = 0; i < to.size(); ++i) to[i] += received_[i];
        return {};
      });
}

}  // namespace muster::trainer
