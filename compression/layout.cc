#include "compression/layout.h"

#include <algorithm>
#include <set>

#include "base/limits.h"

namespace muster::compression {
namespace {

Hash hash_of(const std::vector<Tensor>& tensors) {
  ByteWriter writer;
  for (const Tensor& tensor : tensors) {
    writer.write(static_cast<std::uint64_t>(tensor.name.size()));
    writer.append(bytes_of(tensor.name));
    writer.write(static_cast<std::uint64_t>(tensor.shape.size()));
    for (std::uint64_t dimension : tensor.shape) writer.write(dimension);
  }
  return tagged_hash("muster/layout", writer.bytes());
}

Result<std::uint64_t> elements_of(const Layout::NamedShape& tensor) {
  std::uint64_t elements = 1;
  for (std::uint64_t dimension : tensor.shape) {
    if (dimension == 0)
      return Error{Errc::kInvalidArgument, "tensor " + tensor.name + " has a dimension of 0"};
    if (dimension > limits::kParametersMax / elements)
      return Error{Errc::kTooLarge, "tensor " + tensor.name + " has too many elements"};
    elements *= dimension;
  }
  return elements;
}

}  // namespace

Result<Layout> Layout::make(const std::vector<NamedShape>& tensors) {
  if (tensors.empty()) return Error{Errc::kInvalidArgument, "a layout without tensors"};
  if (tensors.size() > limits::kTensorsMax)
    return Error{Errc::kTooLarge, "a layout of " + std::to_string(tensors.size()) + " tensors"};
  Layout layout;
  std::uint64_t blocks = 0;
  std::set<std::string> names;
  for (const NamedShape& tensor : tensors) {
    if (tensor.name.empty() || !names.insert(tensor.name).second)
      return Error{Errc::kInvalidArgument,
                   "tensor name '" + tensor.name + "' is empty or repeated"};
    MUSTER_TRY(const std::uint64_t elements, elements_of(tensor));
    if (elements > limits::kParametersMax - layout.parameters_)
      return Error{Errc::kTooLarge, "a layout of too many parameters"};
    layout.tensors_.push_back({tensor.name, tensor.shape, layout.parameters_, elements});
    layout.first_blocks_.push_back(blocks);
    blocks += (elements + kBlockElements - 1) / kBlockElements;
    layout.parameters_ += elements;
  }
  layout.first_blocks_.push_back(blocks);
  if ((blocks + kSegmentBlocks - 1) / kSegmentBlocks > limits::kSegmentsMax)
    return Error{Errc::kTooLarge,
                 "a layout of " + std::to_string(blocks) + " blocks, in too many segments"};
  for (std::uint64_t first = 0; first < blocks; first += kSegmentBlocks) {
    const std::uint64_t last = std::min<std::uint64_t>(first + kSegmentBlocks, blocks) - 1;
    const std::uint64_t offset = layout.block(first).offset;
    const Block last_block = layout.block(last);
    const std::uint64_t end = last_block.offset + last_block.elements;
    layout.segments_.push_back(
        {offset, end - offset, first, static_cast<std::uint32_t>(last - first + 1)});
  }
  layout.hash_ = hash_of(layout.tensors_);
  return layout;
}

Block Layout::block(std::uint64_t index) const {
  const auto behind = std::upper_bound(first_blocks_.begin(), first_blocks_.end(), index);
  const Tensor& tensor = tensors_[static_cast<std::size_t>(behind - first_blocks_.begin()) - 1];
  const std::uint64_t done = (index - *(behind - 1)) * kBlockElements;
  return {tensor.offset + done, static_cast<std::uint32_t>(std::min<std::uint64_t>(
                                    kBlockElements, tensor.elements - done))};
}

Layout slice(const Layout& layout, const Range& parameters) {
  MUSTER_CHECK(!parameters.empty() && parameters.end <= layout.parameters(),
               "a slice outside the layout");
  std::vector<Layout::NamedShape> tensors;
  for (const Tensor& tensor : layout.tensors()) {
    const Range whole{tensor.offset, tensor.offset + tensor.elements},
        part = common(whole, parameters);
    if (part.empty()) continue;
    if (part == whole) {
      tensors.push_back({tensor.name, tensor.shape});
      continue;
    }
    std::vector<std::uint64_t> shape(std::min<std::size_t>(tensor.shape.size(), 2), 1);
    shape.back() = part.size();
    tensors.push_back({tensor.name + "[" + std::to_string(part.begin - whole.begin) + ":" +
                           std::to_string(part.end - whole.begin) + "]",
                       std::move(shape)});
  }
  return Layout::make(tensors).value();
}

}  // namespace muster::compression
