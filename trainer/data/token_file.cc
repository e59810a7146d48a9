#include "trainer/data/token_file.h"

#include <algorithm>
#include <vector>

namespace muster::trainer {
namespace {

constexpr std::size_t kHeaderBytes = 1024;
constexpr std::uint32_t kNarrowMagic = 20240520, kNarrowVersion = 1;
constexpr std::uint32_t kWideMagic = 20240801, kWideVersion = 7;
constexpr std::size_t kPartBytes = 4u << 20;

// One pass that a compiler can vectorise: the file's tokens have either width.
template <class Token>
std::uint32_t widen_tokens(const std::uint8_t* from, std::span<std::int32_t> out) {
  std::uint32_t largest = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    Token token = 0;
    std::memcpy(&token, from + i * sizeof(Token), sizeof(Token));
    out[i] = static_cast<std::int32_t>(token);
    largest = std::max(largest, static_cast<std::uint32_t>(token));
  }
  return largest;
}

}  // namespace

Bytes token_header(bool wide, std::uint32_t tokens) {
  ByteWriter writer;
  writer.write(wide ? kWideMagic : kNarrowMagic);
  writer.write(wide ? kWideVersion : kNarrowVersion);
  writer.write(tokens);
  writer.append(Bytes(kHeaderBytes - 12));
  return std::move(writer).take();
}

Result<TokenFile> TokenFile::open(const std::filesystem::path& path) {
  MUSTER_TRY(MappedFile file, MappedFile::open(path, MappedFile::Access::kRead));
  ByteReader reader(file.bytes());
  const auto magic = reader.read<std::uint32_t>();
  const auto version = reader.read<std::uint32_t>();
  const auto count = reader.read<std::uint32_t>();
  const std::string name = path.string();
  if (file.bytes().size() < kHeaderBytes || (magic != kNarrowMagic && magic != kWideMagic))
    return Error{Errc::kMalformed,
                 name + ": not a token file (magic " + std::to_string(magic) + ")"};
  const bool wide = magic == kWideMagic;
  const std::uint32_t known = wide ? kWideVersion : kNarrowVersion;
  if (version != known) {
    return Error{Errc::kVersion, name + ": token file version " + std::to_string(version) +
                                     ", this build reads " + std::to_string(known)};
  }
  const std::uint64_t expected = kHeaderBytes + std::uint64_t{count} * (wide ? 4 : 2);
  if (file.bytes().size() != expected) {
    return Error{Errc::kTruncated, name + ": " + std::to_string(file.bytes().size()) +
                                       " bytes, its header says " + std::to_string(expected)};
  }
  return TokenFile(std::move(file), count, wide);
}

Status TokenFile::read(std::uint64_t first, std::span<std::int64_t> out) const {
  if (first > tokens_ || out.size() > tokens_ - first)
    return Error{Errc::kNotFound, "tokens outside the data set"};
  const std::uint8_t* data = file_.bytes().data() + kHeaderBytes;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (wide_) {
      std::uint32_t token = 0;
      std::memcpy(&token, data + (first + i) * 4, 4);
      out[i] = token;
    } else {
      std::uint16_t token = 0;
      std::memcpy(&token, data + (first + i) * 2, 2);
      out[i] = token;
    }
  }
  return {};
}

std::uint32_t TokenFile::widen(std::uint64_t first, std::span<std::int32_t> out) const {
  MUSTER_CHECK(first <= tokens_ && out.size() <= tokens_ - first, "tokens outside the file");
  const std::uint8_t* data = file_.bytes().data() + kHeaderBytes;
  return wide_ ? widen_tokens<std::uint32_t>(data + first * 4, out)
               : widen_tokens<std::uint16_t>(data + first * 2, out);
}

Hash TokenFile::root() const {
  std::vector<Hash> leaves;
  ByteSpan rest = file_.bytes();
  while (!rest.empty()) {
    const ByteSpan part = rest.first(std::min(rest.size(), kPartBytes));
    leaves.push_back(merkle_leaf(part));
    file_.release(part);
    rest = rest.subspan(part.size());
  }
  return merkle_root(leaves);
}

Status write_byte_tokens(const std::filesystem::path& path, ByteSpan bytes) {
  ByteWriter writer;
  writer.append(token_header(/*wide=*/false, static_cast<std::uint32_t>(bytes.size())));
  Bytes tokens(bytes.size() * 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) tokens[2 * i] = bytes[i];
  writer.append(tokens);
  return replace_file(path, writer.bytes());
}

}  // namespace muster::trainer
