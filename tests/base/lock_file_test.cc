#include "base/lock_file.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/temporary_directory.h"

namespace muster {
namespace {

TEST(LockFile, OneHolderAtATimeNamedToTheOthers) {
  const muster::testing::TemporaryDirectory directory;
  const auto path = directory / "lock";
  EXPECT_FALSE(LockFile::holder(path)) << "no file";
  {
    const auto held = LockFile::take(path, "miner-1, process 77");
    ASSERT_TRUE(held) << held.error().message;
    EXPECT_EQ(LockFile::holder(path), "miner-1, process 77");
    const auto second = LockFile::take(path, "miner-1, process 78");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::kAlreadyExists);
    EXPECT_NE(second.error().message.find(path.string() + " is held by miner-1, process 77"),
              std::string::npos);
  }
  EXPECT_FALSE(LockFile::holder(path));
  EXPECT_TRUE(LockFile::take(path, "again"));
}

TEST(LockFile, EndsWithTheProcessThatHeldItHoweverItEnds) {
  const muster::testing::TemporaryDirectory directory;
  const auto path = directory / "lock";
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto held = LockFile::take(path, "child");
    const char answer = held ? 'y' : 'n';
    (void)!::write(ready[1], &answer, 1);
    ::pause();
    ::_exit(0);
  }
  char answer = 0;
  ASSERT_EQ(::read(ready[0], &answer, 1), 1);
  ASSERT_EQ(answer, 'y');
  EXPECT_EQ(LockFile::holder(path), "child");
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(LockFile::take(path, "parent"));
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST(LockFile, NamesTheFolderThatIsMissing) {
  EXPECT_NE(LockFile::take("/proc/none/lock", "x").error().message.find("/proc/none/lock"),
            std::string::npos);
}

}  // namespace
}  // namespace muster
