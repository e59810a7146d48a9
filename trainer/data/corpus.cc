#include "trainer/data/corpus.h"

#include <algorithm>
#include <string>
#include <vector>

#include "trainer/data/token_file.h"

namespace muster::trainer {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kHeldOutEvery = 50;
constexpr std::size_t kFileBytesMax = 64u << 20;

Result<std::vector<std::string>> headers_below(const fs::path& source) {
  std::vector<std::string> paths;
  std::error_code error;
  for (fs::recursive_directory_iterator it(source, error), end; it != end; it.increment(error)) {
    if (error) break;
    const fs::path& path = it->path();
    if (it->is_regular_file() && (path.extension() == ".h" || path.extension() == ".hpp"))
      paths.push_back(fs::relative(path, source).generic_string());
  }
  if (error) return Error{Errc::kIo, source.string() + ": " + error.message()};
  if (paths.empty())
    return Error{Errc::kNotFound, source.string() + ": no .h or .hpp files below it"};
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

Result<CorpusPaths> build_corpus(const fs::path& source, const fs::path& target,
                                 std::uint32_t context) {
  MUSTER_TRY(const auto paths, headers_below(source));
  Bytes all;
  for (const std::string& path : paths) {
    MUSTER_TRY(const Bytes content, read_file(source / path, kFileBytesMax));
    all.insert(all.end(), content.begin(), content.end());
  }
  const std::size_t used = kCorpusBlockBytes / (context + 1) * (context + 1);
  Bytes train, held_out;
  for (std::size_t block = 0; (block + 1) * kCorpusBlockBytes <= all.size(); ++block) {
    Bytes& target_bytes = block % kHeldOutEvery == kHeldOutEvery - 1 ? held_out : train;
    const auto first = all.begin() + static_cast<std::ptrdiff_t>(block * kCorpusBlockBytes);
    target_bytes.insert(target_bytes.end(), first, first + static_cast<std::ptrdiff_t>(used));
  }
  if (held_out.empty())
    return Error{Errc::kNotFound, source.string() + ": under 3.2 MB of headers are too few"};
  std::error_code error;
  fs::create_directories(target, error);
  if (error) return Error{Errc::kIo, target.string() + ": " + error.message()};
  const CorpusPaths result{target / "train.bin", target / "held_out.bin"};
  MUSTER_TRY_STATUS(write_byte_tokens(result.train, train));
  MUSTER_TRY_STATUS(write_byte_tokens(result.held_out, held_out));
  return result;
}

}  // namespace muster::trainer
