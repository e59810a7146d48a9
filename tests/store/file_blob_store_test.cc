#include "store/file_blob_store.h"

#include <gtest/gtest.h>

#include "compression/segmented_blob.h"
#include "tests/temporary_directory.h"

namespace muster::store {
namespace {

class FileBlobStoreTest : public ::testing::Test {
 protected:
  muster::testing::TemporaryDirectory directory_;
  std::unique_ptr<FileBlobStore> store_ = FileBlobStore::open(directory_ / "blobs").value();
  Bytes blob_ = compression::write_blob({{1, 2}, {Bytes(1000, 3), Bytes(50, 4)}});
  Hash id_ = compression::blob_id(blob_).value();
};

TEST_F(FileBlobStoreTest, GivesBackWhatWasPutAlsoAfterReopening) {
  ASSERT_TRUE(store_->put(id_, blob_));
  ASSERT_TRUE(store_->put(id_, blob_)) << "again is fine";
  store_ = FileBlobStore::open(directory_ / "blobs").value();
  EXPECT_EQ(store_->get(id_).value(), blob_);
  EXPECT_EQ(store_->size(id_).value(), blob_.size());
  EXPECT_EQ(store_->read(id_, 10, 20).value(), Bytes(blob_.begin() + 10, blob_.begin() + 30));
}

TEST_F(FileBlobStoreTest, RefusesContentThatIsNotTheIds) {
  EXPECT_EQ(store_->put(sha256(bytes_of("x")), blob_).error().code, Errc::kBadHash);
  EXPECT_FALSE(store_->put(id_, Bytes{1, 2, 3}));
  EXPECT_EQ(store_->size(id_).error().code, Errc::kNotFound);
}

TEST_F(FileBlobStoreTest, KeepsAPartialUploadAcrossReopening) {
  const ByteSpan all(blob_);
  ASSERT_TRUE(store_->append(id_, all.first(100)));
  store_ = FileBlobStore::open(directory_ / "blobs").value();
  EXPECT_EQ(store_->partial_size(id_), 100u);
  ASSERT_TRUE(store_->append(id_, all.subspan(100)));
  ASSERT_TRUE(store_->finish(id_));
  EXPECT_EQ(store_->get(id_).value(), blob_);
  EXPECT_EQ(store_->partial_size(id_), 0u);
}

TEST_F(FileBlobStoreTest, DropsAFinishedUploadThatIsSomethingElse) {
  ASSERT_TRUE(store_->append(id_, ByteSpan(blob_).first(100)));
  EXPECT_FALSE(store_->finish(id_));
  EXPECT_EQ(store_->partial_size(id_), 0u);
  EXPECT_FALSE(store_->size(id_));
}

}  // namespace
}  // namespace muster::store
