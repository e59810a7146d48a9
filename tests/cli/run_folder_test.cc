#include "cli/run_folder.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/temporary_directory.h"

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
      read_run_config(std::filesystem::path(MUSTER_SOURCE_DIR) / "examples/quickstart.toml", {}).value();
  RunFolder folder_{directory_ / "run"};
};

TEST_F(RunFolderTest, ReadsTheRunThatItMade) {
  ASSERT_TRUE(init_run(folder_, config_, {}));
  const auto params = read_params(folder_).value();
  EXPECT_EQ(params.model, config_.params.model);
  EXPECT_EQ(params.ledger_genesis, chain::runtime::genesis_hash(read_genesis(folder_).value()));
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

}  // namespace
}  // namespace muster::cli
