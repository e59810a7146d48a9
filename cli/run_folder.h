// RunFolder: where everything of a run lies, and the two files that define it.
//
//   run.muster genesis.muster   parameters and genesis, as `muster init` fixed them
//   settings.txt                the configuration that they were made from, a line per field
//   data/ keys/                 token files, or a packed folder; hotkeys
//   initial.safetensors         θ before round 0, where the run starts from an imported model
//   archive.muster blobs/ payloads/   the audit bundle (coordinator); what miners uploaded apart
//   from the rest nodes/NAME/                 each node's journal, state, log and events
//   config.json model.safetensors tokenizer.json report.json   the result
// Thread safety: values.
#pragma once

#include <filesystem>

#include "chain/runtime/genesis.h"
#include "cli/run_config.h"
#include "protocol/params.h"
#include "protocol/round_record.h"
#include "trainer/trainer.h"

namespace muster::cli {

// In every node's folder and, of `muster localnet`, in the run's: held by the process that works
// there.
inline constexpr const char* kLockFile = "lock";

struct RunFolder {
  std::filesystem::path root;

  [[nodiscard]] std::filesystem::path params_file() const { return root / "run.muster"; }
  [[nodiscard]] std::filesystem::path genesis_file() const { return root / "genesis.muster"; }
  [[nodiscard]] std::filesystem::path key_file(const std::string& node) const {
    return root / "keys" / node;
  }
  [[nodiscard]] std::filesystem::path node(const std::string& name) const {
    return root / "nodes" / name;
  }
  [[nodiscard]] std::filesystem::path archive() const { return root / "archive.muster"; }
  [[nodiscard]] std::filesystem::path blobs() const { return root / "blobs"; }
  [[nodiscard]] std::filesystem::path payloads() const { return root / "payloads"; }
  [[nodiscard]] std::filesystem::path data() const { return root / "data"; }
  // Token files, or both the packed folder that has them as splits.
  [[nodiscard]] std::filesystem::path train_data() const;
  [[nodiscard]] std::filesystem::path held_out_data() const;
  [[nodiscard]] std::filesystem::path settings_file() const { return root / "settings.txt"; }
  [[nodiscard]] std::filesystem::path initial_file() const { return root / "initial.safetensors"; }
};

// Who is on the run's ledger from the start.
struct FirstMembers {
  std::vector<PublicKey> hotkeys;  // get a balance
  std::vector<PublicKey>
      validators;  // get a balance, a uid, stake and a permit; at most ledger.validators_max
};

// Makes the run: data, initial model where it is imported, keys of coordinator, ledger and subnet
// owner, parameters. Errors: kAlreadyExists (the folder holds a run), and those of data, import and
// configuration.
[[nodiscard]] Status init_run(const RunFolder& folder, RunConfig config, const FirstMembers& first);

// Whether the folder's data is what the run was made on, which reads token files and a packed
// folder's manifest. Errors: kBadHash, with the mend; those of trainer::DataSet::open.
[[nodiscard]] Status check_data(const RunFolder& folder, const protocol::ProtocolParams& params);

// What a run was begun with, by name (RunConfig::settings), against what it is to go on with: the
// first difference, in a sentence; nothing where there is none or the run has no record of it.
// Errors: those of the file.
[[nodiscard]] Result<std::optional<std::string>> changed_setting(const RunFolder& folder,
                                                                 const RunConfig& config);

// A key from the folder, made when it is not there yet.
[[nodiscard]] Result<SigningKey> ensure_key(const RunFolder& folder, const std::string& node);

[[nodiscard]] Result<protocol::ProtocolParams> read_params(const RunFolder& folder);
[[nodiscard]] Result<chain::runtime::Genesis> read_genesis(const RunFolder& folder);

// Reads blobs of both stores. Errors: those of FileBlobStore::open.
[[nodiscard]] Result<protocol::BlobReader> open_blobs(const RunFolder& folder);

// θ before round 0: the folder's initial.safetensors, or the model of the seed. Errors: those of
// the file; kBadHash (not the one that the parameters name, with the mend).
[[nodiscard]] Result<std::vector<float>> initial_theta(const RunFolder& folder,
                                                       const protocol::ProtocolParams& params);

[[nodiscard]] trainer::TrainerConfig trainer_config(const RunFolder& folder,
                                                    const protocol::ProtocolParams& params,
                                                    trainer::Compute compute);

}  // namespace muster::cli
