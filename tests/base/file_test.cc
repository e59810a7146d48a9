#include "base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "tests/temporary_directory.h"

namespace muster {
namespace {

using testing::TemporaryDirectory;

TEST(File, ReadsBackWhatWasWrittenAndRefusesToOverwrite) {
  TemporaryDirectory directory;
  const auto path = directory / "a";
  ASSERT_TRUE(write_new_file(path, bytes_of("one")));
  EXPECT_EQ(write_new_file(path, bytes_of("two")).error().code, Errc::kAlreadyExists);
  const Bytes content = read_file(path, 10).value();
  EXPECT_EQ(std::string(content.begin(), content.end()), "one");
}

TEST(File, ReplaceLeavesNoTemporaryFile) {
  TemporaryDirectory directory;
  ASSERT_TRUE(replace_file(directory / "a", bytes_of("one")));
  ASSERT_TRUE(replace_file(directory / "a", bytes_of("two")));
  EXPECT_EQ(read_file(directory / "a", 10).value(), Bytes({'t', 'w', 'o'}));
  EXPECT_FALSE(std::filesystem::exists(directory / "a.tmp"));
}

TEST(File, RefusesToReadMoreThanAllowedAndNamesThePath) {
  TemporaryDirectory directory;
  ASSERT_TRUE(write_new_file(directory / "big", Bytes(100)));
  const auto result = read_file(directory / "big", 99);
  EXPECT_EQ(result.error().code, Errc::kTooLarge);
  EXPECT_NE(result.error().message.find("big"), std::string::npos);
}

TEST(File, SaysNotFoundForAMissingFile) {
  EXPECT_EQ(read_file("/nonexistent/file", 1).error().code, Errc::kNotFound);
}

TEST(File, SaysNoSpaceWhenTheDiskIsFull) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  FileHandle full(::open("/dev/full", O_WRONLY));
  EXPECT_EQ(write_fully(full, "/dev/full", bytes_of("x")).error().code, Errc::kNoSpace);
}

TEST(MappedFile, SharesWritesWithLaterReaders) {
  TemporaryDirectory directory;
  {
    MappedFile file = MappedFile::create(directory / "m", 8).value();
    file.writable()[3] = 42;
    ASSERT_TRUE(file.sync());
  }
  const MappedFile again = MappedFile::open(directory / "m", MappedFile::Access::kRead).value();
  EXPECT_EQ(again.bytes().size(), 8u);
  EXPECT_EQ(again.bytes()[3], 42);
}

TEST(MappedFile, ContentIsTheSameAfterAdviceAndRelease) {
  testing::TemporaryDirectory directory;
  const Bytes content(3u << 20, 7);
  ASSERT_TRUE(write_new_file(directory / "f", content));
  const MappedFile file = MappedFile::open(directory / "f", MappedFile::Access::kRead).value();
  file.advise(MappedFile::Pattern::kRandom);
  file.release(file.bytes().first(1u << 20));
  file.advise(MappedFile::Pattern::kSequential);
  EXPECT_TRUE(std::equal(content.begin(), content.end(), file.bytes().begin(), file.bytes().end()));
}

TEST(MappedFile, AFolderIsNoFile) {
  testing::TemporaryDirectory directory;
  EXPECT_EQ(MappedFile::open(directory.path(), MappedFile::Access::kRead).error().code, Errc::kIo);
}

}  // namespace
}  // namespace muster
