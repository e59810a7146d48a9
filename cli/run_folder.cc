#include "cli/run_folder.h"

#include <algorithm>

#include "base/file.h"
#include "base/key.h"
#include "state/state_root.h"
#include "trainer/data/corpus.h"
#include "trainer/data/token_file.h"
#include "wire/codec.h"

namespace muster::cli {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kDefinitionBytesMax = 1u << 20;
// Of run.muster and genesis.muster: magic, version, encoding. Raised with every change of either encoding.
constexpr std::string_view kMagic = "MUSTERDF";
constexpr std::uint32_t kVersion = 2;

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
    return Error{Errc::kVersion, path.string() + ": made by another version of muster; use that one, "
                                                 "or make the run again"};
  return decode<T>(reader.take(reader.remaining()), path.string());
}

}  // namespace

std::vector<float> initial_theta(const protocol::ProtocolParams& params) {
  std::vector<float> theta(state::layout_of(params.model).parameters());
  state::initial_parameters(params.model, params.model_seed, theta);
  return theta;
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

Status init_run(const RunFolder& folder, RunConfig config, const std::vector<PublicKey>& hotkeys) {
  if (fs::exists(folder.params_file())) {
    return Error{Errc::kAlreadyExists, folder.root.string() +
                                           " already holds a run; delete it or choose another folder"};
  }
  MUSTER_TRY_STATUS(state::validate(config.params.model));
  if (!fs::exists(folder.train_data())) {
    MUSTER_TRY([[maybe_unused]] const auto paths,
               trainer::build_corpus(config.corpus, folder.root / "data",
                                     config.params.model.context));
  }
  MUSTER_TRY(const auto train, trainer::TokenFile::open(folder.train_data()));
  MUSTER_TRY(const SigningKey coordinator, ensure_key(folder, "coordinator"));
  MUSTER_TRY([[maybe_unused]] const SigningKey ledger, ensure_key(folder, "ledger"));

  constexpr std::uint64_t kStartBalance = 1'000 * chain::runtime::kTao;  // to play with
  auto& genesis = config.genesis;
  for (const PublicKey& hotkey : hotkeys) genesis.balances.push_back({hotkey, kStartBalance});
  genesis.subnets.front().owner_coldkey = genesis.subnets.front().owner_hotkey = coordinator.public_key();
  MUSTER_TRY_STATUS(chain::runtime::validate(genesis));

  auto& params = config.params;
  params.data_root = train.root();
  params.sequences = train.sequences(params.model.context);
  params.coordinator = coordinator.public_key();
  params.ledger_genesis = chain::runtime::genesis_hash(genesis);
  params.initial_theta_root =
      state::parameters_root(state::layout_of(params.model), initial_theta(params));
  MUSTER_TRY_STATUS(protocol::validate(params));
  MUSTER_TRY_STATUS(write_definition(folder.genesis_file(), genesis));
  return write_definition(folder.params_file(), params);
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
