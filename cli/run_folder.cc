#include "cli/run_folder.h"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "base/file.h"
#include "base/key.h"
#include "state/state_root.h"
#include "store/file_blob_store.h"
#include "trainer/data/corpus.h"
#include "trainer/data/data_set.h"
#include "trainer/hf/hf_import.h"
#include "trainer/hf/safetensors.h"
#include "wire/codec.h"

namespace muster::cli {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kDefinitionBytesMax = 1u << 20;
// Of run.muster and genesis.muster: magic, version, encoding. Raised with every change of either
// encoding.
constexpr std::string_view kMagic = "MUSTERDF";
constexpr std::uint32_t kVersion = 3;

// Canonical bytes: of a genesis those that its hash is of.
Bytes encode(const protocol::ProtocolParams& params) { return wire::encode(params); }
Bytes encode(const chain::runtime::Genesis& genesis) { return chain::scale_encode(genesis); }
template <class T>
Result<T> decode(ByteSpan bytes, const std::string& name) {
  if constexpr (std::is_same_v<T, chain::runtime::Genesis>) {
    auto genesis = chain::scale_decode<T>(bytes);
    if (!genesis) return std::move(genesis).error().within(name);
    return genesis;
  } else {
    return wire::decode<T>(bytes, name);
  }
}

template <class T>
Status write_definition(const fs::path& path, const T& definition) {
  ByteWriter writer;
  writer.append(bytes_of(kMagic));
  writer.write(kVersion);
  writer.append(encode(definition));
  return replace_file(path, writer.bytes());
}

template <class T>
Result<T> read_definition(const fs::path& path) {
  auto content = read_file(path, kDefinitionBytesMax);
  if (!content && content.error().code == Errc::kNotFound)
    return Error{Errc::kNotFound, path.string() + ": no run here; `muster init` makes one"};
  if (!content) return std::move(content).error();
  ByteReader reader(*content);
  const ByteSpan magic = reader.take(kMagic.size());
  const auto version = reader.read<std::uint32_t>();
  if (reader.failed() || !std::equal(magic.begin(), magic.end(), kMagic.begin()) ||
      version != kVersion)
    return Error{Errc::kVersion, path.string() +
                                     ": made by another version of muster; use that one, "
                                     "or make the run again"};
  return decode<T>(reader.take(reader.remaining()), path.string());
}

}  // namespace

fs::path RunFolder::train_data() const {
  std::error_code ignored;
  return fs::exists(data() / trainer::kManifestFile, ignored) ? data() : data() / "train.bin";
}

fs::path RunFolder::held_out_data() const {
  const fs::path train = train_data();
  return train == data() ? train : data() / "held_out.bin";
}

Result<protocol::BlobReader> open_blobs(const RunFolder& folder) {
  MUSTER_TRY(auto blobs, store::FileBlobStore::open(folder.blobs()));
  MUSTER_TRY(auto payloads, store::FileBlobStore::open(folder.payloads()));
  // Shared because a reader is copied.
  std::shared_ptr<store::FileBlobStore> first = std::move(blobs), second = std::move(payloads);
  return protocol::BlobReader([first, second](const Hash& id) -> Result<Bytes> {
    auto blob = first->get(id);
    return blob ? std::move(blob) : second->get(id);
  });
}

Result<std::vector<float>> initial_theta(const RunFolder& folder,
                                         const protocol::ProtocolParams& params) {
  const auto layout = state::layout_of(params.model);
  std::vector<float> theta;
  std::error_code ignored;
  const bool imported = fs::exists(folder.initial_file(), ignored);
  if (imported) {
    MUSTER_TRY(theta, trainer::read_parameters(folder.initial_file(), params.model));
  } else {
    theta.resize(layout.parameters());
    state::initial_parameters(params.model, params.model_seed, theta);
  }
  if (state::parameters_root(layout, theta) == params.initial_theta_root) return theta;
  return Error{Errc::kBadHash,
               folder.initial_file().string() +
                   (imported ? " is not the model that this run starts from"
                             : " is missing: this run starts from an imported model") +
                   "; copy the file from where the run was made"};
}

Result<SigningKey> ensure_key(const RunFolder& folder, const std::string& node) {
  const fs::path path = folder.key_file(node);
  if (fs::exists(path)) return read_key_file(path);
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) return Error{Errc::kIo, path.string() + ": " + error.message()};
  const SigningKey key(random_seed());
  MUSTER_TRY_STATUS(write_key_file(path, key));
  return key;
}

namespace {

Result<Hash> root_of_data(const fs::path& data, const RunConfig& config) {
  MUSTER_TRY(const auto set,
             trainer::DataSet::open(data, config.params.model.context, config.params.model.vocab));
  return set.root();
}

// Data that lies in the folder already, of another machine or an attempt that failed, is what the
// configuration names.
Status check_present_data(const RunFolder& folder, const RunConfig& config) {
  const fs::path& source = config.packed.empty() ? config.corpus : config.packed;
  std::error_code error;
  if (source.empty() || !fs::exists(source, error)) return {};  // another machine has it
  MUSTER_TRY(const Hash present, root_of_data(folder.train_data(), config));
  Hash wanted;
  if (!config.packed.empty()) {
    MUSTER_TRY(wanted, root_of_data(config.packed, config));
  } else {
    const fs::path again = folder.root / "data.again";
    fs::remove_all(again, error);
    MUSTER_TRY(const auto built,
               trainer::build_corpus(config.corpus, again, config.params.model.context));
    MUSTER_TRY(wanted, root_of_data(built.train, config));
    fs::remove_all(again, error);
  }
  if (present == wanted) return {};
  return Error{
      Errc::kConflict,
      folder.data().string() + " is other data than " + source.string() +
          " (left by an attempt that failed, perhaps); delete it, or choose another folder"};
}

Status prepare_data(const RunFolder& folder, const RunConfig& config) {
  std::error_code error;
  if (fs::exists(folder.train_data(), error)) return check_present_data(folder, config);
  if (config.packed.empty()) {
    MUSTER_TRY_STATUS(
        trainer::build_corpus(config.corpus, folder.data(), config.params.model.context));
    return {};
  }
  MUSTER_TRY_STATUS(trainer::read_manifest(config.packed));
  fs::create_directories(folder.root, error);
  const fs::path packed = fs::canonical(config.packed, error);
  if (!error) fs::create_directory_symlink(packed, folder.data(), error);
  if (error)
    return Error{Errc::kIo,
                 folder.data().string() + ": link to " + packed.string() + ": " + error.message()};
  return {};
}

Status write_settings(const RunFolder& folder, const RunConfig& config) {
  std::string text;
  for (const auto& [name, value] : config.settings) text += name + " = " + value + "\n";
  return replace_file(folder.settings_file(), bytes_of(text));
}

// The root of θ before round 0, which lies in the folder afterwards where it does not come from the
// seed.
Result<Hash> prepare_initial_model(const RunFolder& folder, const RunConfig& config) {
  const auto layout = state::layout_of(config.params.model);
  std::vector<float> theta(layout.parameters());
  if (config.from.empty()) {
    std::error_code error;
    fs::remove(folder.initial_file(), error);  // of an attempt that failed
    if (error) return Error{Errc::kIo, folder.initial_file().string() + ": " + error.message()};
    state::initial_parameters(config.params.model, config.params.model_seed, theta);
  } else {
    MUSTER_TRY(auto imported, trainer::import_hf(config.from));
    theta = std::move(imported.parameters);
    MUSTER_CHECK(theta.size() == layout.parameters(), "the configuration has the imported model");
    MUSTER_TRY_STATUS(trainer::write_safetensors(folder.initial_file(), layout.tensors(), theta));
  }
  return state::parameters_root(layout, theta);
}

Status add_first_members(const FirstMembers& first, chain::runtime::Genesis& genesis) {
  constexpr std::uint64_t kStartBalance = 1'000 * chain::runtime::kTao;  // to play with
  constexpr std::uint64_t kStake = 100 * chain::runtime::kTao;
  auto& subnet = genesis.subnets.front();
  const std::size_t permits = subnet.parameters.validators_max;
  if (first.validators.size() > permits)
    return Error{Errc::kInvalidArgument, std::to_string(first.validators.size()) +
                                             " validators, but only " + std::to_string(permits) +
                                             " permits: raise ledger.validators_max"};
  for (const PublicKey& hotkey : first.hotkeys) genesis.balances.push_back({hotkey, kStartBalance});
  for (const PublicKey& validator : first.validators) {
    genesis.balances.push_back({validator, kStartBalance});
    subnet.neurons.push_back({validator, validator});
    subnet.stakes.push_back(
        {validator, validator, std::max(kStake, genesis.network.stake_threshold)});
  }
  return {};
}

}  // namespace

Status init_run(const RunFolder& folder, RunConfig config, const FirstMembers& first) {
  if (fs::exists(folder.params_file())) {
    return Error{Errc::kAlreadyExists,
                 folder.root.string() + " already holds a run; delete it or choose another folder"};
  }
  MUSTER_TRY_STATUS(state::validate(config.params.model));
  MUSTER_TRY_STATUS(prepare_data(folder, config));
  const state::ModelSpec& model = config.params.model;
  MUSTER_TRY(const auto train,
             trainer::DataSet::open(folder.train_data(), model.context, model.vocab));
  MUSTER_TRY_STATUS(trainer::DataSet::open(folder.held_out_data(), model.context, model.vocab,
                                           trainer::kHeldOutSplit));
  MUSTER_TRY_STATUS(train.verify());
  MUSTER_TRY(const Hash theta_root, prepare_initial_model(folder, config));
  MUSTER_TRY(const SigningKey coordinator, ensure_key(folder, "coordinator"));
  MUSTER_TRY([[maybe_unused]] const SigningKey ledger, ensure_key(folder, "ledger"));
  MUSTER_TRY(const SigningKey owner, ensure_key(folder, "owner"));

  auto& genesis = config.genesis;
  MUSTER_TRY_STATUS(add_first_members(first, genesis));
  genesis.subnets.front().owner_coldkey = genesis.subnets.front().owner_hotkey = owner.public_key();
  MUSTER_TRY_STATUS(chain::runtime::validate(genesis));

  auto& params = config.params;
  params.data_root = train.root();
  params.sequences = train.sequences();
  params.coordinator = coordinator.public_key();
  params.ledger_genesis = chain::runtime::genesis_hash(genesis);
  params.initial_theta_root = theta_root;
  MUSTER_TRY_STATUS(protocol::validate(params));
  MUSTER_TRY_STATUS(write_settings(folder, config));
  MUSTER_TRY_STATUS(write_definition(folder.genesis_file(), genesis));
  return write_definition(folder.params_file(), params);
}

Status check_data(const RunFolder& folder, const protocol::ProtocolParams& params) {
  MUSTER_TRY(const auto data,
             trainer::DataSet::open(folder.train_data(), params.model.context, params.model.vocab));
  if (data.sequences() == params.sequences && data.root() == params.data_root) return {};
  return Error{Errc::kBadHash, folder.data().string() + " is other data than the run's (root " +
                                   params.data_root.brief() + "…, here " + data.root().brief() +
                                   "…); copy data/ from where the run was made"};
}

Result<std::optional<std::string>> changed_setting(const RunFolder& folder,
                                                   const RunConfig& config) {
  // Of a start, not of the run.
  static const std::set<std::string> kFree{"localnet.port", "localnet.loss_max"};
  const auto content = read_file(folder.settings_file(), kDefinitionBytesMax);
  if (!content && content.error().code == Errc::kNotFound) return std::optional<std::string>();
  if (!content) return content.error();
  std::map<std::string, std::string> before;
  std::istringstream lines(std::string(content->begin(), content->end()));
  for (std::string line; std::getline(lines, line);)
    if (const auto equals = line.find(" = "); equals != std::string::npos)
      before[line.substr(0, equals)] = line.substr(equals + 3);
  std::set<std::string> names;
  for (const auto& [name, value] : before) names.insert(name);
  for (const auto& [name, value] : config.settings) names.insert(name);
  const auto text_in = [](const auto& settings, const std::string& name) {
    const auto found = settings.find(name);
    return found == settings.end() ? std::string("not given") : found->second;
  };
  for (const std::string& name : names) {
    const std::string was = text_in(before, name), is = text_in(config.settings, name);
    if (was != is && !kFree.contains(name))
      return std::optional(name + " is " + is + " here and was " + was + " when the run was begun");
  }
  return std::optional<std::string>();
}

Result<protocol::ProtocolParams> read_params(const RunFolder& folder) {
  MUSTER_TRY(auto params, read_definition<protocol::ProtocolParams>(folder.params_file()));
  MUSTER_TRY_STATUS(protocol::validate(params));
  return params;
}

Result<chain::runtime::Genesis> read_genesis(const RunFolder& folder) {
  return read_definition<chain::runtime::Genesis>(folder.genesis_file());
}

trainer::TrainerConfig trainer_config(const RunFolder& folder,
                                      const protocol::ProtocolParams& params,
                                      trainer::Compute compute) {
  trainer::TrainerConfig config;
  config.model = params.model;
  config.train_data = folder.train_data();
  config.held_out_data = folder.held_out_data();
  config.batch = params.training.batch;
  config.schedule.peak = static_cast<double>(params.training.learning_rate);
  config.schedule.warmup_steps = params.training.warmup_steps;
  config.schedule.total_steps = std::uint64_t{params.rounds} * params.training.inner_steps;
  config.schedule.cosine_to = static_cast<double>(params.training.cosine_to);
  config.optimizer.kind = params.training.optimizer == protocol::InnerOptimizer::kMuon
                              ? trainer::OptimizerKind::kMuon
                              : trainer::OptimizerKind::kAdamW;
  config.optimizer.beta1 = static_cast<double>(params.training.beta1);
  config.optimizer.beta2 = static_cast<double>(params.training.beta2);
  config.optimizer.weight_decay = static_cast<double>(params.training.weight_decay);
  config.optimizer.decay_vectors = params.training.decay_vectors;
  config.gradient_clip = static_cast<double>(params.training.gradient_clip);
  config.compute.compute = compute;
  config.outer_learning_rate = params.compression.outer_learning_rate;
  config.error_feedback_decay = params.compression.error_feedback_decay;
  return config;
}

}  // namespace muster::cli
