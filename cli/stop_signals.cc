#include "cli/stop_signals.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <new>

#include "base/printable.h"

namespace muster::cli {
namespace {

constexpr std::size_t kMessageBytesMax = 8u << 10;

std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set in a signal handler");

void request_stop(int) {
  if (stop_requested.exchange(true)) ::_exit(kExitInterrupted);
}

void say(const std::string& message) {
  std::fprintf(stderr, "muster: %s\n", printable(message, kMessageBytesMax).c_str());
}

// What the exception that is being handled says.
std::string current_exception_text() {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return "out of memory; close something, or choose a smaller model, batch or number of nodes";
  } catch (const std::exception& exception) {
    return exception.what();
  } catch (...) {
    return "an unknown exception";
  }
}

[[noreturn]] void end_uncaught() {
  if (std::current_exception())
    say("ended by an error that a thread did not handle: " + current_exception_text());
  std::fflush(nullptr);
  ::_exit(kExitFailed);
}

}  // namespace

const std::atomic<bool>& install_stop_signals() {
  struct sigaction action {};
  action.sa_handler = request_stop;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  std::set_terminate(end_uncaught);
  return stop_requested;
}

int run_action(const Action& action, const std::atomic<bool>& stop) {
  try {
    const auto result = action(stop);
    if (result) return *result;
    if (result.error().code == Errc::kCancelled && stop) return kExitInterrupted;
    say(result.error().message);
  } catch (...) {
    say(current_exception_text());
  }
  return kExitFailed;
}

}  // namespace muster::cli
