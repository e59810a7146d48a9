// OptimizerConfig: which optimizer moves a model's parameters, and how, wherever they are.
#pragma once

namespace muster::model {

enum class OptimizerKind { kAdamW, kMuon };  // kMuon: on the matrices of the decoder layers

struct OptimizerConfig {
  OptimizerKind kind = OptimizerKind::kAdamW;
  double beta1 = 0.9;
  double beta2 = 0.95;
  double epsilon = 1e-8;
  double weight_decay = 0.1;
  bool decay_vectors = true;  // weight decay on the norm gains too, not on matrices only
  double momentum = 0.95;     // Muon's
};

}  // namespace muster::model
