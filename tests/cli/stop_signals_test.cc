#include "cli/stop_signals.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/json_text.h"

namespace muster::cli {
namespace {

TEST(StopSignalsDeathTest, TheFirstAsksAndTheSecondEnds) {
  EXPECT_EXIT(
      {
        const auto& stop = install_stop_signals();
        std::raise(SIGINT);
        if (!stop) std::_Exit(7);
        std::raise(SIGINT);  // ends here
        ::poll(nullptr, 0, 60'000);
        std::_Exit(8);
      },
      ::testing::ExitedWithCode(kExitInterrupted), "");
}

TEST(StopSignalsDeathTest, AnExceptionOfAThreadIsAMessageNotAnAbort) {
  EXPECT_EXIT(
      {
        (void)install_stop_signals();
        std::thread thread([] { throw std::runtime_error("a thread's \033[2J"); });
        thread.join();
      },
      ::testing::ExitedWithCode(kExitFailed), "muster: ended by .*a thread's \\\\x1b\\[2J");
}

int exit_code_of(const std::function<Result<int>()>& body) {
  const std::atomic<bool> stop{false};
  return run_action([&](const std::atomic<bool>&) { return body(); }, stop);
}

TEST(RunAction, TurnsExceptionsIntoExitCodes) {
  EXPECT_EQ(exit_code_of([]() -> Result<int> { throw std::bad_alloc(); }), kExitFailed);
  EXPECT_EQ(exit_code_of([]() -> Result<int> {
              std::filesystem::create_directory("/proc/none/x");
              return 0;
            }),
            kExitFailed);
  EXPECT_EQ(
      exit_code_of([]() -> Result<int> { return nlohmann::json::parse("{").size() > 0 ? 1 : 0; }),
      kExitFailed);
  EXPECT_EQ(exit_code_of([]() -> Result<int> { return kExitChecksFailed; }), kExitChecksFailed);
  EXPECT_EQ(exit_code_of([]() -> Result<int> {
              return Error{Errc::kCancelled, "stopped"};
            }),
            kExitFailed);
}

TEST(RunAction, EscapesWhatAnErrorQuotes) {
  ::testing::internal::CaptureStderr();
  (void)exit_code_of([]() -> Result<int> { return Error{Errc::kIo, "class '\033]0;x\007\xff'"}; });
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "muster: class '\\x1b]0;x\\x07\\xff'\n");
}

TEST(JsonText, SucceedsWhateverStringsHold) {
  const nlohmann::ordered_json json{{"class", "a\xff\033[2J\u202e"}};
  EXPECT_EQ(json_text(json), "{\"class\":\"a\\ufffd\\u001b[2J\\u202e\"}");
}

}  // namespace
}  // namespace muster::cli
