#include "store/archive.h"

#include <gtest/gtest.h>

#include "store/archiving_journal.h"
#include "store/sqlite_journal.h"
#include "tests/temporary_directory.h"

namespace muster::store {
namespace {

class ArchiveTest : public ::testing::Test {
 protected:
  muster::testing::TemporaryDirectory directory_;
  std::filesystem::path path_ = directory_ / "archive.muster";

  void write(std::initializer_list<std::string_view> entries) {
    Archive archive = Archive::open(path_).value();
    for (std::string_view entry : entries) ASSERT_TRUE(archive.append(bytes_of(entry)));
    ASSERT_TRUE(archive.sync());
  }
  Result<std::vector<std::string>> read() {
    std::vector<std::string> entries;
    MUSTER_TRY_STATUS(read_archive(path_, [&](ByteSpan entry) -> Status {
      entries.emplace_back(entry.begin(), entry.end());
      return {};
    }));
    return entries;
  }
};

TEST_F(ArchiveTest, ReadsBackWhatWasAppendedOverSeveralOpenings) {
  write({"a", "bb"});
  write({"", "ccc"});
  EXPECT_EQ(read().value(), (std::vector<std::string>{"a", "bb", "", "ccc"}));
}

TEST_F(ArchiveTest, CutsOffATornTailAtAnyByteAndGoesOn) {
  write({"first", "second"});
  const Bytes whole = read_file(path_, 1 << 20).value();
  const std::size_t first_end = 12 + 4 + 5 + 32;
  for (std::size_t length = first_end + 1; length < whole.size(); ++length) {
    ASSERT_TRUE(replace_file(path_, ByteSpan(whole).first(length)));
    EXPECT_EQ(read().error().code, Errc::kTruncated);
    write({"third"});
    EXPECT_EQ(read().value(), (std::vector<std::string>{"first", "third"})) << length;
  }
}

TEST_F(ArchiveTest, NamesTheEntryThatWasChanged) {
  write({"one", "two", "three"});
  Bytes bytes = read_file(path_, 1 << 20).value();
  bytes[12 + 4 + 3 + 32 + 4] ^= 1;
  ASSERT_TRUE(replace_file(path_, bytes));
  const auto result = read();
  EXPECT_EQ(result.error().code, Errc::kBadHash);
  EXPECT_NE(result.error().message.find("entry 1"), std::string::npos);
}

TEST_F(ArchiveTest, RefusesOtherFiles) {
  ASSERT_TRUE(replace_file(path_, bytes_of("something else entirely")));
  EXPECT_EQ(Archive::open(path_).error().code, Errc::kMalformed);
}

TEST_F(ArchiveTest, IsBroughtUpToTheJournalOnOpening) {
  auto journal = SqliteJournal::open(directory_ / "journal.sqlite").value();
  ASSERT_TRUE(journal->append(Round{0}, bytes_of("a")));
  ASSERT_TRUE(journal->append(Round{0}, bytes_of("b")));
  write({"a"});
  auto both = ArchivingJournal::open(std::move(journal), Archive::open(path_).value()).value();
  ASSERT_TRUE(both->append(Round{1}, bytes_of("c")));
  EXPECT_EQ(read().value(), (std::vector<std::string>{"a", "b", "c"}));
}

TEST_F(ArchiveTest, AheadOfTheJournalIsAConflict) {
  write({"a", "b"});
  auto journal = SqliteJournal::open(directory_ / "journal.sqlite").value();
  EXPECT_EQ(ArchivingJournal::open(std::move(journal), Archive::open(path_).value()).error().code,
            Errc::kConflict);
}

}  // namespace
}  // namespace muster::store
