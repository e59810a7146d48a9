#include "trainer/data/input_file.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace muster::trainer {
namespace {

constexpr std::size_t kReadBytes = 1u << 20;
constexpr int kWaitMs = 200;

// Where a part of `text`, which goes on, may end best.
std::size_t cut_of(std::string_view text) {
  for (const std::string_view ends : {std::string_view("\n"), std::string_view(" \t\r")}) {
    const std::size_t last = text.find_last_of(ends);
    if (last != std::string_view::npos && last + 1 > text.size() / 2) return last + 1;
  }
  // In front of a character whose end is not here: at most three bytes of one may be.
  for (std::size_t back = 1; back <= std::min<std::size_t>(4, text.size() - 1); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if (byte < 0x80) break;
    if (byte >= 0xc0) return text.size() - back;
  }
  return text.size();
}

}  // namespace

Result<InputFile> InputFile::open(const std::filesystem::path& path, Waiting waiting) {
  if (path == "-") {
    FileHandle standard_input(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0));
    if (!standard_input) return system_error("standard input", "open");
    return InputFile(std::move(standard_input), "standard input", std::move(waiting));
  }
  FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return system_error(path, "open");
  (void)::posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  return InputFile(std::move(file), path, std::move(waiting));
}

std::string InputFile::place() const { return path_.string() + ":" + std::to_string(line_); }

std::string_view InputFile::held() const {
  return {reinterpret_cast<const char*>(buffer_.data()) + begin_, end_ - begin_};
}

std::string_view InputFile::give(std::size_t bytes) {
  const std::string_view given = held().substr(0, bytes);
  begin_ += bytes;
  return given;
}

Status InputFile::wait() const {
  for (;;) {
    pollfd descriptor{file_.get(), POLLIN, 0};
    const int ready = ::poll(&descriptor, 1, kWaitMs);
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return system_error(path_, "wait");
    if (waiting_) MUSTER_TRY_STATUS(waiting_());
  }
}

Status InputFile::hold(std::size_t bytes) {
  if (end_ - begin_ >= bytes || at_end_) return {};
  std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
            buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
  end_ -= begin_;
  begin_ = 0;
  buffer_.resize(std::max(buffer_.size(), bytes + kReadBytes));
  while (end_ < bytes && !at_end_) {
    MUSTER_TRY_STATUS(wait());
    const ssize_t got = ::read(file_.get(), buffer_.data() + end_, buffer_.size() - end_);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(path_, "read");
    at_end_ = got == 0;
    end_ += static_cast<std::size_t>(got);
  }
  return {};
}

Result<bool> InputFile::finished() {
  MUSTER_TRY_STATUS(hold(1));
  return held().empty();
}

Result<std::optional<std::string_view>> InputFile::line(std::size_t bytes_max) {
  ++line_;
  for (std::size_t searched = 0;;) {
    const std::size_t end = held().find('\n', searched);
    if (end != std::string_view::npos && end <= bytes_max)
      return std::optional(give(end + 1).substr(0, end));
    searched = held().size();
    if (end != std::string_view::npos || searched > bytes_max)
      return Error{Errc::kTooLarge,
                   place() + ": a line over " + std::to_string(bytes_max) + " bytes"};
    if (at_end_) break;
    MUSTER_TRY_STATUS(hold(searched + 1));
  }
  if (held().empty()) return std::optional<std::string_view>();
  return std::optional(give(held().size()));
}

Result<std::optional<std::string_view>> InputFile::part(std::size_t bytes) {
  MUSTER_TRY_STATUS(hold(bytes + 1));
  if (held().empty()) return std::optional<std::string_view>();
  if (held().size() <= bytes) return std::optional(give(held().size()));
  return std::optional(give(cut_of(held().substr(0, bytes))));
}

}  // namespace muster::trainer
