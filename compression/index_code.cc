#include "compression/index_code.h"

namespace muster::compression {
namespace {

// The largest b with 2^b <= ln 2 · elements / count, in integers.
unsigned rice_parameter(std::uint32_t count, std::uint32_t elements) {
  unsigned b = 0;
  while ((std::uint64_t{count} << (b + 1)) * 10000 <= std::uint64_t{elements} * 6931) ++b;
  return b;
}

}  // namespace

void write_indices(BitWriter& out, std::span<const std::uint32_t> indices,
                   std::uint32_t elements) {
  if (indices.empty() || indices.size() == elements) return;
  const unsigned b = rice_parameter(static_cast<std::uint32_t>(indices.size()), elements);
  std::uint32_t next = 0;
  for (std::uint32_t index : indices) {
    const std::uint32_t gap = index - next;
    out.write_unary(gap >> b);
    out.write(gap & ((1u << b) - 1), b);
    next = index + 1;
  }
}

Status read_indices(BitReader& in, std::uint32_t count, std::uint32_t elements,
                    std::vector<std::uint32_t>& indices) {
  indices.clear();
  if (count == elements) {
    for (std::uint32_t i = 0; i < elements; ++i) indices.push_back(i);
    return {};
  }
  const unsigned b = count == 0 ? 0 : rice_parameter(count, elements);
  std::uint32_t next = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t high = in.read_unary(elements >> b);
    const std::uint32_t gap = high << b | in.read(b);
    if (in.failed()) return Error{Errc::kTruncated, "indices end too early or overrun"};
    if (gap >= elements - next)
      return Error{Errc::kMalformed, "an index outside the block"};
    indices.push_back(next + gap);
    next += gap + 1;
    if (next > elements - (count - i - 1))
      return Error{Errc::kMalformed, "indices that leave no room for the rest"};
  }
  return {};
}

}  // namespace muster::compression
