#include "cli/event_log.h"

#include <gtest/gtest.h>

#include "tests/temporary_directory.h"

namespace muster::cli {
namespace {

TEST(EventLog, IsFollowedLineByLineAsItGrows) {
  muster::testing::TemporaryDirectory directory;
  EventFollower follower(directory / "events.jsonl");
  EXPECT_TRUE(follower.read_new().empty()) << "no file yet";
  const EventSink sink = write_events_to(directory / "events.jsonl");
  sink({"one", {{"round", std::int64_t{3}}, {"loss", 1.5}, {"text", std::string("a \"b\"")}}});
  auto events = follower.read_new();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0]["round"], 3);
  EXPECT_EQ(events[0]["text"], "a \"b\"");
  sink({"two", {}});
  EXPECT_EQ(follower.read_new().size(), 1u);
  EXPECT_TRUE(follower.read_new().empty());
}

TEST(EventLog, LeavesAHalfWrittenLineForLater) {
  muster::testing::TemporaryDirectory directory;
  std::ofstream file(directory / "events.jsonl");
  file << "{\"event\":\"a\"}\n{\"event\":" << std::flush;
  EventFollower follower(directory / "events.jsonl");
  EXPECT_EQ(follower.read_new().size(), 1u);
  file << "\"b\"}\n" << std::flush;
  EXPECT_EQ(follower.read_new().size(), 1u);
}

}  // namespace
}  // namespace muster::cli
