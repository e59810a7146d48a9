// InputFile: a file or standard input in pieces, through one buffer of bounded size.
//
// Thread safety: one thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/file.h"
#include "base/result.h"

namespace muster::trainer {

class InputFile {
 public:
  // Called every 0.2 s while a pipe has nothing; an error from it ends the reading with that error.
  using Waiting = std::function<Status()>;

  // "-" is standard input. Errors: kNotFound, kPermission, kIo.
  [[nodiscard]] static Result<InputFile> open(const std::filesystem::path& path,
                                              Waiting waiting = {});

  // The next line without its end; nothing: that was the last. Valid until the next call.
  // Errors: kTooLarge (longer than bytes_max; names the line), kIo.
  [[nodiscard]] Result<std::optional<std::string_view>> line(std::size_t bytes_max);
  // The next part of about `bytes`: cut behind the last line end in the second half of that many
  // bytes, else behind its last blank, else between two UTF-8 characters. Nothing: that was the
  // last. Valid until the next call.
  [[nodiscard]] Result<std::optional<std::string_view>> part(std::size_t bytes);
  // Nothing follows what was given out.
  [[nodiscard]] Result<bool> finished();

  [[nodiscard]] std::uint64_t line_number() const { return line_; }  // of the last line, from 1
  // "FILE:LINE".
  [[nodiscard]] std::string place() const;

 private:
  InputFile(FileHandle file, std::filesystem::path path, Waiting waiting)
      : file_(std::move(file)), path_(std::move(path)), waiting_(std::move(waiting)) {}
  [[nodiscard]] std::string_view held() const;
  std::string_view give(std::size_t bytes);
  // Until `bytes` are held or the file ends.
  [[nodiscard]] Status hold(std::size_t bytes);
  // Until something can be read, or the end is.
  [[nodiscard]] Status wait() const;

  FileHandle file_;
  std::filesystem::path path_;
  Waiting waiting_;
  Bytes buffer_;
  std::size_t begin_ = 0, end_ = 0;  // of what is held, in the buffer
  bool at_end_ = false;
  std::uint64_t line_ = 0;
};

}  // namespace muster::trainer
