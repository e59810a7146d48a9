// Shape under its name here: sizes and places of matrices, which cards go by too. Thread safety:
// value.
#pragma once

#include "state/shape.h"

namespace muster::trainer {

using state::Shape;

}  // namespace muster::trainer
