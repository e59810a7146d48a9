// Templar's compression in plain loops, to train with: src/tplr/compress.py of
// github.com/one-covenant/templar with use_dct off, quantization_bins 4 and quantization_range 6;
// its bytes are 12 bits an index and 8 a value.
//
// Thread safety: pure function.
#pragma once

#include <span>

#include "compression/layout.h"

namespace muster::bench {

// sent: what receivers decode, zeros elsewhere. Returns the bytes of the message.
double templar_compress(const compression::Layout& layout, std::span<const float> dense,
                        std::uint32_t keep, std::span<float> sent);

}  // namespace muster::bench
