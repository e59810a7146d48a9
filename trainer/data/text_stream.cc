#include "trainer/data/text_stream.h"

#include <algorithm>

namespace muster::trainer {
namespace {

constexpr std::size_t kTokensTogether = 64;  // bounds the work per token
constexpr std::size_t kTokensBehind = 8;     // kept when a new group begins

}  // namespace

Result<TextStream> TextStream::make(const Tokenizer& tokenizer,
                                    std::span<const std::int32_t> before) {
  TextStream stream(tokenizer);
  MUSTER_TRY_STATUS(stream.start_behind(before));
  return stream;
}

Status TextStream::start_behind(std::span<const std::int32_t> before) {
  const auto kept = before.last(std::min(before.size(), kTokensBehind));
  tokens_ = std::vector<std::int32_t>(kept.begin(), kept.end());
  MUSTER_TRY(const std::string text, tokenizer_->decode(tokens_));
  said_ = text.size();
  return {};
}

Result<std::string> TextStream::next(std::int32_t token) {
  tokens_.push_back(token);
  MUSTER_TRY(const std::string text, tokenizer_->decode(tokens_));
  std::string added = text.size() > said_ ? text.substr(said_) : "";
  said_ = std::max(said_, text.size());
  if (tokens_.size() >= kTokensTogether) {
    const std::vector<std::int32_t> all = tokens_;
    MUSTER_TRY_STATUS(start_behind(all));
  }
  return added;
}

}  // namespace muster::trainer
