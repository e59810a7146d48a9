#include "store/sqlite_journal.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/temporary_directory.h"

namespace muster::store {
namespace {

std::vector<std::string> contents(const SqliteJournal& journal, std::uint64_t first = 0) {
  std::vector<std::string> records;
  EXPECT_TRUE(journal.replay(first, [&](Round, ByteSpan record) -> Status {
    records.emplace_back(record.begin(), record.end());
    return {};
  }));
  return records;
}

class SqliteJournalTest : public ::testing::Test {
 protected:
  muster::testing::TemporaryDirectory directory_;
  std::unique_ptr<SqliteJournal> open() {
    return SqliteJournal::open(directory_ / "journal.sqlite").value();
  }
};

TEST_F(SqliteJournalTest, KeepsRecordsInOrderAcrossReopening) {
  {
    auto journal = open();
    ASSERT_TRUE(journal->append(Round{0}, bytes_of("a")));
    ASSERT_TRUE(journal->append(Round{1}, bytes_of("b")));
    ASSERT_TRUE(journal->append(Round{0}, bytes_of("")));
  }
  auto journal = open();
  EXPECT_EQ(journal->count(), 3u);
  EXPECT_EQ(contents(*journal), (std::vector<std::string>{"a", "b", ""}));
  EXPECT_EQ(contents(*journal, 1), (std::vector<std::string>{"b", ""}));
}

TEST_F(SqliteJournalTest, FindsTheRecordsOfARound) {
  auto journal = open();
  ASSERT_TRUE(journal->append(Round{0}, bytes_of("a")));
  ASSERT_TRUE(journal->append(Round{1}, bytes_of("b")));
  ASSERT_TRUE(journal->append(Round{0}, bytes_of("c")));
  EXPECT_EQ(journal->records_of(Round{0}).value(), (std::vector<Bytes>{{'a'}, {'c'}}));
}

TEST_F(SqliteJournalTest, RefusesASecondProcess) {
  auto journal = open();
  ASSERT_TRUE(journal->append(Round{0}, bytes_of("a")));
  const pid_t child = ::fork();
  if (child == 0) {
    auto second = SqliteJournal::open(directory_ / "journal.sqlite");
    ::_exit(!second && second.error().code == Errc::kAlreadyExists ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(SqliteJournalTest, RefusesWhatIsNoDatabaseAndOtherVersions) {
  ASSERT_TRUE(replace_file(directory_ / "journal.sqlite", Bytes(5000, 7)));
  EXPECT_EQ(SqliteJournal::open(directory_ / "journal.sqlite").error().code, Errc::kMalformed);
  {
    auto other = Database::open(directory_ / "other.sqlite", 99, "CREATE TABLE x(y)");
    ASSERT_TRUE(other.has_value());
  }
  const auto result = SqliteJournal::open(directory_ / "other.sqlite");
  EXPECT_EQ(result.error().code, Errc::kVersion);
  EXPECT_NE(result.error().message.find("version 99, this build reads version 1"),
            std::string::npos);
}

// A child appends and reports each acknowledged record; it is killed in the midst of it.
TEST_F(SqliteJournalTest, LosesNothingAcknowledgedWhenKilled) {
  int report[2];
  ASSERT_EQ(::pipe(report), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto journal = SqliteJournal::open(directory_ / "journal.sqlite");
    for (std::uint64_t i = 0;; ++i) {
      const std::string text = std::to_string(i);
      if (!(*journal)->append(Round{i}, bytes_of(text))) ::_exit(1);
      if (::write(report[1], &i, sizeof(i)) != sizeof(i)) ::_exit(1);
    }
  }
  std::uint64_t acknowledged = 0;
  for (int i = 0; i < 50; ++i)
    ASSERT_EQ(::read(report[0], &acknowledged, sizeof(acknowledged)),
              static_cast<ssize_t>(sizeof(acknowledged)));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(report[1]);
  while (::read(report[0], &acknowledged, sizeof(acknowledged)) == sizeof(acknowledged)) {
  }
  ::close(report[0]);
  auto journal = open();
  EXPECT_GE(journal->count(), acknowledged + 1);
  const auto records = contents(*journal);
  for (std::uint64_t i = 0; i <= acknowledged; ++i) EXPECT_EQ(records[i], std::to_string(i));
}

}  // namespace
}  // namespace muster::store
