#include "trainer/data/shard_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "trainer/data/token_file.h"

namespace muster::trainer {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kBufferBytes = 1u << 20;

template <class Token>
void append_as(std::span<const std::int32_t> tokens, Bytes& bytes) {
  std::size_t at = bytes.size();
  bytes.resize(at + tokens.size() * sizeof(Token));
  for (const std::int32_t value : tokens) {
    const auto token = static_cast<Token>(value);
    std::memcpy(bytes.data() + at, &token, sizeof(Token));
    at += sizeof(Token);
  }
}

}  // namespace

ShardWriter::ShardWriter(fs::path folder, std::string split, std::uint32_t vocab,
                         std::uint64_t shard_tokens)
    : folder_(std::move(folder)),
      split_name_(std::move(split)),
      wide_(vocab > kNarrowVocabMax),
      shard_tokens_(shard_tokens) {
  MUSTER_CHECK(shard_tokens >= 1 && shard_tokens <= kShardTokensMax, "tokens of a shard");
}

fs::path ShardWriter::temporary() const { return folder_ / (split_name_ + ".tmp"); }

Status ShardWriter::append(std::span<const std::int32_t> tokens) {
  while (!tokens.empty()) {
    if (!file_) MUSTER_TRY_STATUS(open());
    const std::size_t room = std::min<std::size_t>(shard_tokens_ - tokens_, kBufferBytes / 4);
    const auto now = tokens.first(std::min(tokens.size(), room));
    wide_ ? append_as<std::uint32_t>(now, buffer_) : append_as<std::uint16_t>(now, buffer_);
    tokens_ += now.size();
    tokens = tokens.subspan(now.size());
    if (buffer_.size() >= kBufferBytes) MUSTER_TRY_STATUS(flush());
    if (tokens_ == shard_tokens_) MUSTER_TRY_STATUS(close());
  }
  return {};
}

Result<Split> ShardWriter::finish() {
  if (file_) MUSTER_TRY_STATUS(close());
  return split_;
}

void ShardWriter::discard() {
  file_ = FileHandle();
  std::error_code ignored;
  fs::remove(temporary(), ignored);
  for (const Shard& shard : split_.shards) fs::remove(folder_ / shard.file, ignored);
}

Status ShardWriter::open() {
  file_ = FileHandle(::open(temporary().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file_) return system_error(temporary(), "create");
  buffer_ = token_header(wide_, 0);
  return {};
}

Status ShardWriter::flush() {
  MUSTER_TRY_STATUS(write_fully(file_, temporary(), buffer_));
  buffer_.clear();
  return {};
}

// The header's count is known only now.
Status ShardWriter::close() {
  MUSTER_TRY_STATUS(flush());
  if (::lseek(file_.get(), 0, SEEK_SET) != 0) return system_error(temporary(), "seek");
  MUSTER_TRY_STATUS(
      write_fully(file_, temporary(), token_header(wide_, static_cast<std::uint32_t>(tokens_))));
  if (::fsync(file_.get()) != 0) return system_error(temporary(), "fsync");
  file_ = FileHandle();

  MUSTER_TRY(const TokenFile written, TokenFile::open(temporary()));
  char number[16];
  std::snprintf(number, sizeof(number), "-%05zu.bin", split_.shards.size());
  const Shard shard{split_name_ + number, tokens_, written.root()};
  std::error_code error;
  fs::rename(temporary(), folder_ / shard.file, error);
  if (error) return Error{Errc::kIo, (folder_ / shard.file).string() + ": " + error.message()};
  split_.shards.push_back(shard);
  closed_ += std::exchange(tokens_, 0);
  return sync_directory(folder_);
}

}  // namespace muster::trainer
