#include "store/file_blob_store.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <fstream>

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
  PublicKey owner_ = SigningKey(random_seed()).public_key(),
            other_ = SigningKey(random_seed()).public_key();
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
  ASSERT_TRUE(store_->append(owner_, id_, all.first(100)));
  store_ = FileBlobStore::open(directory_ / "blobs").value();
  EXPECT_EQ(store_->partial_size(owner_, id_), 100u);
  ASSERT_TRUE(store_->append(owner_, id_, all.subspan(100)));
  ASSERT_TRUE(store_->finish(owner_, id_));
  EXPECT_EQ(store_->get(id_).value(), blob_);
  EXPECT_EQ(store_->partial_size(owner_, id_), 0u);
}

TEST_F(FileBlobStoreTest, AFinishedUploadBecomesTheBlobWithoutASecondCopy) {
  ASSERT_TRUE(store_->append(owner_, id_, blob_));
  struct stat before {
  }, after{};
  const auto partial = directory_ / "blobs" / "partial" / (owner_.hex() + "-" + id_.hex());
  ASSERT_EQ(::stat(partial.c_str(), &before), 0);
  ASSERT_TRUE(store_->finish(owner_, id_));
  ASSERT_EQ(
      ::stat((directory_ / "blobs" / id_.hex().substr(0, 2) / id_.hex().substr(2)).c_str(), &after),
      0);
  EXPECT_EQ(before.st_ino, after.st_ino);
}

TEST_F(FileBlobStoreTest, DropsAFinishedUploadThatIsSomethingElse) {
  ASSERT_TRUE(store_->append(owner_, id_, ByteSpan(blob_).first(100)));
  EXPECT_FALSE(store_->finish(owner_, id_));
  EXPECT_EQ(store_->partial_size(owner_, id_), 0u);
  EXPECT_FALSE(store_->size(id_));
}

TEST_F(FileBlobStoreTest, UploadsOfTwoOwnersDoNotMix) {
  ASSERT_TRUE(store_->append(owner_, id_, blob_));
  ASSERT_TRUE(store_->append(other_, id_, Bytes(10, 1)));
  EXPECT_EQ(store_->partial_size(other_, id_), 10u);
  ASSERT_TRUE(store_->finish(owner_, id_));
  EXPECT_EQ(store_->get(id_).value(), blob_);
  store_->drop_partials();
  EXPECT_EQ(store_->partial_size(other_, id_), 0u);
  EXPECT_TRUE(store_->size(id_));
}

TEST_F(FileBlobStoreTest, ListsItsBlobsAndNothingElse) {
  EXPECT_TRUE(store_->list().value().empty());
  const Bytes second = compression::write_blob({{7}, {Bytes(10, 3)}});
  const Hash second_id = compression::blob_id(second).value();
  ASSERT_TRUE(store_->put(id_, blob_));
  ASSERT_TRUE(store_->put(second_id, second));
  ASSERT_TRUE(store_->append(owner_, sha256(bytes_of("x")), Bytes(10)));
  std::ofstream(directory_ / "blobs" / id_.hex().substr(0, 2) /
                (second_id.hex().substr(2) + ".tmp"))
      << "cut short";
  auto listed = store_->list().value();
  std::sort(listed.begin(), listed.end());
  std::vector<Hash> expected{id_, second_id};
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(listed, expected);
  store_->drop(id_);
  EXPECT_EQ(store_->list().value(), std::vector<Hash>{second_id});
}

TEST_F(FileBlobStoreTest, TwoStoresInDifferentFoldersHaveTheirOwnBlobs) {
  const auto payloads = FileBlobStore::open(directory_ / "payloads").value();
  ASSERT_TRUE(store_->put(id_, blob_));
  EXPECT_EQ(payloads->size(id_).error().code, Errc::kNotFound);
  EXPECT_TRUE(payloads->list().value().empty());
}

TEST_F(FileBlobStoreTest, WithoutDescriptorsEverythingIsAnErrorAndWorksLater) {
  ASSERT_TRUE(store_->put(id_, blob_));
  ASSERT_TRUE(store_->append(owner_, id_, blob_));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto list = store_->list();
  const auto read = store_->read(id_, 0, 10);
  const auto appended = store_->append(other_, id_, blob_), finished = store_->finish(owner_, id_);
  const auto put = store_->put(sha256(bytes_of("x")), blob_);
  store_->drop_partials();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(list.error().code, Errc::kNoDescriptors);
  EXPECT_EQ(read.error().code, Errc::kNoDescriptors);
  EXPECT_EQ(appended.error().code, Errc::kNoDescriptors);
  EXPECT_EQ(finished.error().code, Errc::kNoDescriptors);
  EXPECT_FALSE(put);
  EXPECT_EQ(store_->partial_size(owner_, id_), blob_.size()) << "nothing is lost";
  EXPECT_TRUE(store_->finish(owner_, id_));
}

// A limit of the file size stands for a disk without room: a part of the piece is written.
TEST_F(FileBlobStoreTest, APieceThatFitsInPartIsGoneOnWith) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, SIG_IGN);
  const rlimit little{100, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &little), 0);
  const auto appended = store_->append(owner_, id_, blob_);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ASSERT_FALSE(appended);
  const std::uint64_t here = store_->partial_size(owner_, id_);
  EXPECT_EQ(here, 100u);
  ASSERT_TRUE(store_->append(owner_, id_, ByteSpan(blob_).subspan(here)));
  EXPECT_TRUE(store_->finish(owner_, id_));
}

}  // namespace
}  // namespace muster::store
