#include "cli/shared_sections.h"

namespace muster::cli {

Status read_model(TomlSection section, state::ModelSpec& model) {
  state::RopeScaling rope{.factor = 1};
  MUSTER_TRY_STATUS(section.field("d_model", model.d_model)
                        .field("layers", model.layers)
                        .field("heads", model.heads)
                        .field("kv_heads", model.kv_heads)
                        .field("d_ff", model.d_ff)
                        .field("context", model.context)
                        .field("vocab", model.vocab)
                        .field("tied", model.tied)
                        .field("rope_theta", model.rope_theta)
                        .field("norm_epsilon", model.norm_epsilon)
                        .field("rope_factor", rope.factor)
                        .field("rope_low_frequency_factor", rope.low_frequency_factor)
                        .field("rope_high_frequency_factor", rope.high_frequency_factor)
                        .field("rope_original_context", rope.original_context)
                        .finish());
  if (rope.factor != 1) model.rope_scaling = rope;
  return {};
}

Result<trainer::Compute> compute_named(const std::string& name) {
  if (name == "auto") return trainer::Compute::kAuto;
  if (name == "bf16") return trainer::Compute::kBfloat16;
  if (name == "fp32") return trainer::Compute::kFloat32;
  return Error{Errc::kInvalidArgument, "auto, bf16 or fp32"};
}

Result<trainer::DeviceChoice> device_named(const std::string& name) {
  if (name == "cpu") return trainer::DeviceChoice::kCpu;
  if (name == "cuda") return trainer::DeviceChoice::kCuda;
  if (name == "auto") return trainer::DeviceChoice::kAuto;
  return Error{Errc::kInvalidArgument, "cpu, cuda or auto"};
}

Result<trainer::OptimizerKind> optimizer_named(const std::string& name) {
  if (name == "adamw") return trainer::OptimizerKind::kAdamW;
  if (name == "muon") return trainer::OptimizerKind::kMuon;
  return Error{Errc::kInvalidArgument, "adamw or muon"};
}

Result<trainer::MatmulChoice> matmul_named(const std::string& name) {
  if (name == "auto") return trainer::MatmulChoice::kAuto;
  if (name == "own") return trainer::MatmulChoice::kOwn;
  if (name == "torch") return trainer::MatmulChoice::kTorch;
  return Error{Errc::kInvalidArgument, "auto, own or torch"};
}

}  // namespace muster::cli
