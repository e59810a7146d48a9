#include "cli/run_folder.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "chain/service/network_view.h"
#include "state/state_root.h"
#include "tests/temporary_directory.h"
#include "trainer/data/corpus.h"
#include "trainer/data/data_set.h"
#include "trainer/data/pack.h"
#include "trainer/hf/hf_export.h"
#include "trainer/hf/safetensors.h"

namespace muster::cli {
namespace {

class RunFolderTest : public ::testing::Test {
 protected:
  RunFolderTest() {
    config_.corpus = directory_ / "corpus";
    std::filesystem::create_directories(config_.corpus);
    MUSTER_CHECK(replace_file(config_.corpus / "a.h", Bytes(20u << 20, 'a')).has_value(), "corpus");
  }
  muster::testing::TemporaryDirectory directory_;
  RunConfig config_ =
      read_run_config(std::filesystem::path(MUSTER_SOURCE_DIR) / "examples/quickstart.toml", {})
          .value();
  RunFolder folder_{directory_ / "run"};
};

TEST_F(RunFolderTest, ReadsTheRunThatItMade) {
  ASSERT_TRUE(init_run(folder_, config_, {}));
  const auto params = read_params(folder_).value();
  EXPECT_EQ(params.model, config_.params.model);
  EXPECT_EQ(params.ledger_genesis, chain::runtime::genesis_hash(read_genesis(folder_).value()));
}

TEST_F(RunFolderTest, TheSubnetsOwnerIsNotTheCoordinatorAndCannotChangeItsRules) {
  ASSERT_TRUE(init_run(folder_, config_, {}));
  const auto subnet = read_genesis(folder_).value().subnets.front();
  EXPECT_EQ(subnet.owner_hotkey, ensure_key(folder_, "owner")->public_key());
  EXPECT_NE(subnet.owner_hotkey, read_params(folder_)->coordinator);
  EXPECT_TRUE(subnet.rules.fixed);
}

TEST_F(RunFolderTest, FirstValidatorsMayValidateFromBlockZeroOn) {
  const FirstMembers first{{SigningKey(Seed{1}).public_key()},
                           {SigningKey(Seed{2}).public_key(), SigningKey(Seed{3}).public_key()}};
  config_.genesis.network.stake_threshold = 500 * chain::runtime::kTao;
  ASSERT_TRUE(init_run(folder_, config_, first));
  const auto view =
      chain::network_view(chain::runtime::Ledger(read_genesis(folder_).value()), 1).value();
  const auto members = protocol::members_of(view);
  ASSERT_EQ(members.size(), 3u) << "the owner and the validators";
  EXPECT_FALSE(members[0].may_validate);
  EXPECT_TRUE(members[1].may_validate);
  EXPECT_TRUE(members[2].may_validate);
}

TEST_F(RunFolderTest, MakesNoRunWithMoreFirstValidatorsThanPermits) {
  FirstMembers first;
  for (std::uint8_t i = 1; i <= 3; ++i)
    first.validators.push_back(SigningKey(Seed{i}).public_key());
  config_.genesis.subnets.front().parameters.validators_max = 2;
  const Status made = init_run(folder_, config_, first);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().message, "3 validators, but only 2 permits: raise ledger.validators_max");
}

TEST_F(RunFolderTest, MakesNoRunOverAnother) {
  ASSERT_TRUE(init_run(folder_, config_, {}));
  EXPECT_EQ(init_run(folder_, config_, {}).error().code, Errc::kAlreadyExists);
}

TEST_F(RunFolderTest, SaysWhenThereIsNoRunOrOneOfAnotherVersion) {
  EXPECT_EQ(read_params(folder_).error().code, Errc::kNotFound);
  ASSERT_TRUE(init_run(folder_, config_, {}));
  for (const Bytes& content : {Bytes{}, Bytes{1, 2, 3}, Bytes(300, 7)}) {
    ASSERT_TRUE(replace_file(folder_.params_file(), content));
    const auto read = read_params(folder_);
    EXPECT_EQ(read.error().code, Errc::kVersion);
    EXPECT_NE(read.error().message.find("another version"), std::string::npos);
  }
}

TEST_F(RunFolderTest, MakesNoRunOnWhatAnAttemptThatFailedLeft) {
  RunConfig failing = config_;
  failing.params.verification.own_sequences = 3;
  ASSERT_FALSE(init_run(folder_, failing, {})) << "after its data was made";
  RunConfig other = config_;
  other.corpus = directory_ / "other";
  std::filesystem::create_directories(other.corpus);
  ASSERT_TRUE(replace_file(other.corpus / "b.h", Bytes(20u << 20, 'b')));
  const auto refused = init_run(folder_, other, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kConflict);
  EXPECT_NE(refused.error().message.find("delete it, or choose another folder"), std::string::npos);
  EXPECT_TRUE(init_run(folder_, config_, {})) << "the same data is taken";
}

TEST_F(RunFolderTest, ChecksThatTheDataIsTheRuns) {
  ASSERT_TRUE(init_run(folder_, config_, {}));
  const auto params = read_params(folder_).value();
  EXPECT_TRUE(check_data(folder_, params));
  std::filesystem::remove_all(folder_.data());
  const auto other = directory_ / "other";
  std::filesystem::create_directories(other);
  ASSERT_TRUE(replace_file(other / "b.h", Bytes(20u << 20, 'b')));
  ASSERT_TRUE(trainer::build_corpus(other, folder_.data(), params.model.context));
  const auto checked = check_data(folder_, params);
  EXPECT_EQ(checked.error().code, Errc::kBadHash);
  EXPECT_NE(checked.error().message.find("copy data/ from where the run was made"),
            std::string::npos);
}

TEST_F(RunFolderTest, NamesTheFirstSettingThatIsAnother) {
  ASSERT_TRUE(init_run(folder_, config_, {}));
  EXPECT_EQ(changed_setting(folder_, config_).value(), std::nullopt);
  const auto changed = [&](std::vector<std::string> overrides) {
    const auto config =
        read_run_config(std::filesystem::path(MUSTER_SOURCE_DIR) / "examples/quickstart.toml",
                        overrides)
            .value();
    return changed_setting(folder_, config).value().value_or("nothing");
  };
  EXPECT_EQ(changed({"model.layers=3", "train.batch=8"}),
            "model.layers is 3 here and was 2 when the run was begun");
  EXPECT_EQ(changed({"ledger.immunity_period=7"}),
            "ledger.immunity_period is 7 here and was not given when the run was begun");
  EXPECT_EQ(changed({"localnet.port=1234"}), "nothing");
  std::filesystem::remove(folder_.settings_file());
  EXPECT_EQ(changed({"model.layers=3"}), "nothing") << "a run from before it was written";
}

// The quickstart's model as a Hugging Face folder, with other numbers than the seed gives.
class ImportedRunTest : public RunFolderTest {
 protected:
  ImportedRunTest() {
    const state::ModelSpec& model = config_.params.model;
    theta_.resize(state::layout_of(model).parameters());
    state::initial_parameters(model, 12345, theta_);
    MUSTER_CHECK(trainer::export_hf(directory_ / "hf", model, theta_,
                                    {.file_bytes_max = 300'000, .tokenizer_folder = {}})
                     .has_value(),
                 "export");
    config_.from = directory_ / "hf";
  }
  std::vector<float> theta_;
};

TEST_F(RunFolderTest, StartsFromTheModelOfItsSeed) {
  ASSERT_TRUE(init_run(folder_, config_, {}));
  const auto params = read_params(folder_).value();
  EXPECT_FALSE(std::filesystem::exists(folder_.initial_file()));
  const auto theta = initial_theta(folder_, params).value();
  EXPECT_EQ(state::parameters_root(state::layout_of(params.model), theta),
            params.initial_theta_root);
}

TEST_F(ImportedRunTest, StartsFromTheWeightsThatItImported) {
  ASSERT_TRUE(init_run(folder_, config_, {}));
  const auto params = read_params(folder_).value();
  EXPECT_EQ(initial_theta(folder_, params).value(), theta_);
  EXPECT_EQ(state::parameters_root(state::layout_of(params.model), theta_),
            params.initial_theta_root);
}

TEST_F(ImportedRunTest, IsAnotherRunThanThatOfItsSeed) {
  ASSERT_TRUE(init_run(folder_, config_, {}));
  RunConfig seeded = config_;
  seeded.from.clear();
  const RunFolder other{directory_ / "seeded"};
  ASSERT_TRUE(init_run(other, seeded, {}));
  EXPECT_NE(read_params(folder_).value().initial_theta_root,
            read_params(other).value().initial_theta_root);
}

TEST_F(ImportedRunTest, RefusesToStartWithoutItsWeightsOrWithOthers) {
  ASSERT_TRUE(init_run(folder_, config_, {}));
  const auto params = read_params(folder_).value();
  theta_[3] += 1;
  ASSERT_TRUE(trainer::write_safetensors(folder_.initial_file(),
                                         state::layout_of(params.model).tensors(), theta_));
  const auto changed = initial_theta(folder_, params);
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().code, Errc::kBadHash);
  EXPECT_NE(changed.error().message.find("is not the model that this run starts from"),
            std::string::npos);
  std::filesystem::remove(folder_.initial_file());
  const auto missing = initial_theta(folder_, params);
  ASSERT_FALSE(missing);
  EXPECT_NE(
      missing.error().message.find("is missing: this run starts from an imported model; copy"),
      std::string::npos);
}

class PackedRunTest : public RunFolderTest {
 protected:
  Status pack_headers(double held_out) {
    trainer::PackOptions options;
    options.context = config_.params.model.context;
    options.held_out = held_out;
    MUSTER_TRY_STATUS(trainer::pack({config_.corpus}, directory_ / "packed",
                                    *trainer::make_byte_tokenizer(), options,
                                    [](const trainer::PackProgress&) -> Status { return {}; }));
    config_.packed = directory_ / "packed";
    return {};
  }
};

TEST_F(PackedRunTest, TrainsOnThePackedFolderAndMeasuresOnItsHeldOutSplit) {
  ASSERT_TRUE(pack_headers(0.1));
  ASSERT_TRUE(init_run(folder_, config_, {}));
  const auto params = read_params(folder_).value();
  const auto manifest = trainer::read_manifest(directory_ / "packed").value();
  EXPECT_EQ(params.data_root, manifest.splits.at("train").root());
  EXPECT_EQ(folder_.train_data(), folder_.held_out_data());
  const auto data =
      trainer::DataSet::open(folder_.train_data(), params.model.context, params.model.vocab)
          .value();
  EXPECT_EQ(data.sequences(), params.sequences);
  EXPECT_EQ(trainer::open_tokenizer(folder_.root).value()->vocab(), 256u);
}

TEST_F(PackedRunTest, NeedsHeldOutData) {
  ASSERT_TRUE(pack_headers(0));
  const Status made = init_run(folder_, config_, {});
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("no split 'held_out'"), std::string::npos)
      << made.error().message;
}

TEST_F(PackedRunTest, RefusesADamagedShard) {
  ASSERT_TRUE(pack_headers(0.1));
  const auto shard = directory_ / "packed/train-00000.bin";
  Bytes content = read_file(shard, 1u << 30).value();
  content[5000] ^= 1;
  ASSERT_TRUE(replace_file(shard, content));
  EXPECT_EQ(init_run(folder_, config_, {}).error().code, Errc::kBadHash);
}

}  // namespace
}  // namespace muster::cli
