#include "cli/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "base/clock.h"
#include "base/file.h"

namespace muster::cli {
namespace {

[[noreturn]] void become(const std::vector<std::string>& arguments, int output, int nice,
                         pid_t parent, const std::vector<int>& inherited) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(127);  // the parent died before prctl
  ::setpgid(0, 0);  // Ctrl-C goes to the supervisor, which ends the nodes in order
  if (nice != 0) ::setpriority(PRIO_PROCESS, 0, nice);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  for (const int descriptor : inherited) ::fcntl(descriptor, F_SETFD, 0);
  std::vector<char*> argv;
  std::string self = "muster";
  argv.push_back(self.data());
  std::vector<std::string> copies = arguments;
  for (std::string& argument : copies) argv.push_back(argument.data());
  argv.push_back(nullptr);
  ::execv("/proc/self/exe", argv.data());
  ::_exit(127);
}

}  // namespace

Result<Process> Process::start(const std::string& name, const std::vector<std::string>& arguments,
                               const std::filesystem::path& output, int nice,
                               const std::vector<int>& inherited) {
  FileHandle file(::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!file) return system_error(output, "open");
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return system_error(name, "fork");
  if (pid == 0) become(arguments, file.get(), nice, parent, inherited);
  return Process(name, pid);
}

Process::Process(Process&& other) noexcept
    : name_(std::move(other.name_)),
      pid_(std::exchange(other.pid_, -1)),
      exit_code_(other.exit_code_) {}

Process& Process::operator=(Process&& other) noexcept {
  std::swap(name_, other.name_);
  std::swap(pid_, other.pid_);
  std::swap(exit_code_, other.exit_code_);
  return *this;
}

Process::~Process() {
  if (pid_ < 0 || exit_code_) return;
  terminate();
  wait(5000);
}

std::optional<int> Process::poll() {
  if (exit_code_ || pid_ < 0) return exit_code_;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == pid_)
    exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return exit_code_;
}

void Process::terminate() {
  if (pid_ > 0 && !poll()) ::kill(pid_, SIGTERM);
}

int Process::wait(int timeout_ms) {
  const SteadyClock clock;
  const TimeMs deadline = clock.now_ms() + timeout_ms;
  while (!poll()) {
    if (clock.now_ms() >= deadline) ::kill(pid_, SIGKILL);
    ::poll(nullptr, 0, 20);
  }
  return *exit_code_;
}

std::uint64_t Process::peak_resident_bytes() const {
  std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
  std::string word;
  while (status >> word) {
    std::uint64_t kib = 0;
    if (word == "VmHWM:" && status >> kib) return kib * 1024;
  }
  return 0;
}

}  // namespace muster::cli
