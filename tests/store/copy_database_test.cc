// Copies of a journal that a living process writes to, one after the other: each is whole, and has
// what was durable.
#include "store/copy_database.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/file.h"
#include "store/sqlite_journal.h"
#include "tests/temporary_directory.h"

namespace muster::store {
namespace {

namespace fs = std::filesystem;

class CopyDatabaseTest : public ::testing::Test {
 protected:
  static std::uint64_t count_of(const fs::path& path) {
    const auto journal = SqliteJournal::open(path);
    EXPECT_TRUE(journal.has_value()) << (journal ? "" : journal.error().message);
    if (!journal) return 0;
    std::uint64_t expected = 0;
    EXPECT_TRUE((*journal)->replay(0, [&](Round round, ByteSpan record) -> Status {
      EXPECT_EQ(round, Round{expected});
      EXPECT_EQ(record.size(), 2000u);
      ++expected;
      return {};
    }));
    return expected;
  }
  muster::testing::TemporaryDirectory directory_;
  const fs::path live_ = directory_ / "live.sqlite", copy_ = directory_ / "copy.sqlite";
};

TEST_F(CopyDatabaseTest, OfAJournalThatIsWrittenToHasAllThatWasDurable) {
  int report[2];
  ASSERT_EQ(::pipe(report), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto journal = SqliteJournal::open(live_);
    const Bytes record(
        2000,
        7);  // a log of a thousand pages is full, and begins anew, after some hundreds of them
    for (std::uint64_t i = 0; journal.has_value(); ++i) {
      if (!(*journal)->append(Round{i}, record) || ::write(report[1], &i, sizeof(i)) != sizeof(i))
        ::_exit(1);
    }
    ::_exit(1);
  }
  ::close(report[1]);
  for (int copies = 0; copies < 20; ++copies) {
    std::uint64_t acknowledged = 0;
    for (int i = 0; i < 60; ++i)
      ASSERT_EQ(::read(report[0], &acknowledged, sizeof(acknowledged)),
                static_cast<ssize_t>(sizeof(acknowledged)));
    const Status copied = copy_database(live_, copy_);
    ASSERT_TRUE(copied.has_value()) << copied.error().message;
    EXPECT_GT(count_of(copy_), acknowledged);
    fs::remove(copy_);
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(report[0]);
}

TEST_F(CopyDatabaseTest, NamesADamagedOne) {
  ASSERT_TRUE(replace_file(live_, Bytes(5000, 7)));
  EXPECT_EQ(copy_database(live_, copy_).error().code, Errc::kMalformed);
  EXPECT_EQ(copy_database(directory_ / "none", copy_).error().code, Errc::kNotFound);
}

}  // namespace
}  // namespace muster::store
