#include "cli/audit_probe.h"

#include "trainer/data/data_set.h"

namespace muster::cli {
namespace fs = std::filesystem;

Result<std::unique_ptr<protocol::LossProbe>> make_audit_probe(
    const protocol::ProtocolParams& params, const fs::path& data, std::span<const float> theta,
    const ComputeChoice& compute) {
  std::error_code ignored;
  const bool packed = fs::exists(data / trainer::kManifestFile, ignored);
  auto config = trainer_config(RunFolder{data}, params, trainer::Compute::kAuto);
  config.train_data = packed ? data : data / "train.bin";
  config.held_out_data = packed ? data : data / "held_out.bin";
  MUSTER_TRY_STATUS(set_compute(compute, config));
  MUSTER_TRY(const auto train,
             trainer::DataSet::open(config.train_data, params.model.context, params.model.vocab));
  MUSTER_TRY_STATUS(train.verify());
  if (const Hash root = train.root(); root != params.data_root) {
    return Error{Errc::kBadHash, data.string() + ": not the run's data: its root is " +
                                     root.brief() + ", the run's parameters say " +
                                     params.data_root.brief() +
                                     "; give the folder that the run was made with"};
  }
  return trainer::make_loss_probe(config, theta);
}

}  // namespace muster::cli
