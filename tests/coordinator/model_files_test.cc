#include "coordinator/model_files.h"

#include <gtest/gtest.h>

#include <fstream>

#include "compression/segmented_blob.h"
#include "protocol/signed_message.h"
#include "store/file_blob_store.h"
#include "store/sqlite_journal.h"
#include "tests/temporary_directory.h"

namespace muster::coordinator {
namespace {

class ModelFilesTest : public ::testing::Test {
 protected:
  muster::testing::TemporaryDirectory directory_;
  compression::Layout layout_ = compression::Layout::make({{"w", {10, 10}}}).value();
  std::unique_ptr<store::SqliteJournal> journal_ =
      store::SqliteJournal::open(directory_ / "journal.sqlite").value();
  std::unique_ptr<store::FileBlobStore> blobs_ =
      store::FileBlobStore::open(directory_ / "blobs").value();
  SigningKey key_{random_seed()};

  // Writes a checkpoint before `round`, in which every parameter has the round's number.
  Hash checkpoint(std::uint64_t round) {
    protocol::HeadState head;
    head.round = Round{round};
    const std::vector<float> theta(layout_.parameters(), static_cast<float>(round));
    const std::vector<float> residual(layout_.parameters(), static_cast<float>(round) / 2);
    const Bytes blob = protocol::encode_state(layout_, head, theta, residual);
    const Hash id = compression::blob_id(blob).value();
    EXPECT_TRUE(blobs_->put(id, blob));
    EXPECT_TRUE(journal_->append(head.round, sign_message({Hash{}, head.round, Hash{}},
                                                          protocol::Checkpoint{id, {}}, key_)));
    return id;
  }
  ModelFiles open() {
    return ModelFiles::open(directory_.path(), layout_, *journal_, *blobs_,
                            [this] { return std::vector<float>(layout_.parameters(), -1.0f); })
        .value();
  }
};

TEST_F(ModelFilesTest, StartWithTheInitialModelAndNoResidual) {
  ModelFiles files = open();
  EXPECT_FALSE(files.checkpoint().has_value());
  EXPECT_EQ(files.theta()[99], -1.0f);
  EXPECT_EQ(files.downlink_residual()[99], 0.0f);
}

TEST_F(ModelFilesTest, GoOnFromTheNewestCheckpoint) {
  checkpoint(8);
  checkpoint(16);
  ModelFiles files = open();
  EXPECT_EQ(files.checkpoint()->round, Round{16});
  EXPECT_EQ(files.theta()[0], 16.0f);
  EXPECT_EQ(files.downlink_residual()[0], 8.0f);
}

TEST_F(ModelFilesTest, FallBackToTheOneBeforeWhenABlobIsGoneOrDamaged) {
  checkpoint(8);
  const Hash newest = checkpoint(16);
  const Hash gone = checkpoint(24);
  blobs_->drop(gone);
  const std::string name = newest.hex();
  std::fstream file(directory_ / "blobs" / name.substr(0, 2) / name.substr(2),
                    std::ios::in | std::ios::out | std::ios::binary);
  ASSERT_TRUE(file.seekp(-3, std::ios::end).put('x'));
  file.close();
  ModelFiles files = open();
  ASSERT_TRUE(files.checkpoint().has_value());
  EXPECT_EQ(files.checkpoint()->round, Round{8});
  EXPECT_EQ(files.theta()[50], 8.0f);
}

TEST_F(ModelFilesTest, AreMadeAnewWhateverACrashLeftInThem) {
  open().theta()[7] = 1234;
  EXPECT_EQ(open().theta()[7], -1.0f);
}

}  // namespace
}  // namespace muster::coordinator
