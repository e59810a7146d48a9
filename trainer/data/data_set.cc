#include "trainer/data/data_set.h"

#include <algorithm>

namespace muster::trainer {
namespace fs = std::filesystem;
namespace {

Error outside_vocabulary(const fs::path& path, std::uint64_t first,
                         std::span<const std::int32_t> row, std::uint32_t vocab) {
  std::size_t at = 0;
  while (static_cast<std::uint32_t>(row[at]) < vocab) ++at;
  return {Errc::kInvalidArgument, path.string() + ": token " + std::to_string(first + at) + " is " +
                                      std::to_string(static_cast<std::uint32_t>(row[at])) +
                                      ", the model has a vocabulary of " + std::to_string(vocab) +
                                      "; pack the data with the model's tokenizer"};
}

Status check_count(const fs::path& path, const TokenFile& file, const Shard& shard) {
  if (file.tokens() == shard.tokens) return {};
  return Error{Errc::kBadHash, path.string() + ": " + std::to_string(file.tokens()) +
                                   " tokens, the manifest says " + std::to_string(shard.tokens)};
}

}  // namespace

Result<DataSet> DataSet::open(const fs::path& path, std::uint32_t context, std::uint32_t vocab,
                              const std::string& split) {
  DataSet data;
  data.context_ = context;
  data.vocab_ = vocab;
  if (std::error_code ignored; fs::is_directory(path, ignored)) {
    MUSTER_TRY(const Manifest manifest, read_manifest(path));
    const auto found = manifest.splits.find(split);
    if (found == manifest.splits.end() || found->second.shards.empty())
      return Error{Errc::kNotFound,
                   path.string() + ": the packed data has no split '" + split + "'"};
    if (manifest.vocab > vocab)
      return Error{Errc::kInvalidArgument, path.string() + ": packed with a vocabulary of " +
                                               std::to_string(manifest.vocab) + ", the model has " +
                                               std::to_string(vocab) +
                                               "; pack it with the model's tokenizer"};
    data.folder_ = path;
    data.split_ = found->second;
    for (const Shard& shard : data.split_.shards) {
      MUSTER_TRY_STATUS(data.add(path / shard.file));
      MUSTER_TRY_STATUS(check_count(path / shard.file, data.files_.back().tokens, shard));
    }
  } else {
    MUSTER_TRY_STATUS(data.add(path));
  }
  if (data.sequences() == 0)
    return Error{Errc::kInvalidArgument,
                 path.string() + ": context is " + std::to_string(context) + " but the data has " +
                     std::to_string(data.tokens()) + " tokens: take more data or a context under " +
                     std::to_string(std::max<std::uint64_t>(data.tokens(), 2))};
  return data;
}

Status DataSet::add(const fs::path& path) {
  MUSTER_TRY(TokenFile file, TokenFile::open(path));
  file.advise(MappedFile::Pattern::kRandom);
  tokens_ += file.tokens();
  ends_.push_back((ends_.empty() ? 0 : ends_.back()) + file.sequences(context_));
  files_.push_back({path, std::move(file)});
  return {};
}

Hash DataSet::root() const {
  return split_.shards.empty() ? files_[0].tokens.root() : split_.root();
}

Status DataSet::verify() const {
  for (const Shard& shard : split_.shards) MUSTER_TRY_STATUS(verify_shard(folder_, shard));
  return {};
}

Status verify_shard(const fs::path& folder, const Shard& shard) {
  const fs::path path = folder / shard.file;
  MUSTER_TRY(const TokenFile file, TokenFile::open(path));
  file.advise(MappedFile::Pattern::kSequential);
  MUSTER_TRY_STATUS(check_count(path, file, shard));
  if (const Hash root = file.root(); root != shard.root)
    return Error{Errc::kBadHash, path.string() + ": root " + root.hex() + ", the manifest says " +
                                     shard.root.hex() + "; copy it again, or pack again"};
  return {};
}

Status DataSet::read(std::span<const std::uint64_t> ids, std::span<std::int32_t> out) const {
  const std::size_t width = std::size_t{context_} + 1;
  MUSTER_CHECK(out.size() == ids.size() * width, "room for the sequences");
  for (std::size_t i = 0; i < ids.size(); ++i)
    MUSTER_TRY_STATUS(read_one(ids[i], out.subspan(i * width, width)));
  return {};
}

Status DataSet::read_one(std::uint64_t id, std::span<std::int32_t> row) const {
  if (id >= sequences())
    return Error{Errc::kNotFound, "sequence " + std::to_string(id) + " of a data set that has " +
                                      std::to_string(sequences()) + " of context " +
                                      std::to_string(context_)};
  const auto end = std::upper_bound(ends_.begin(), ends_.end(), id);
  const File& file = files_[static_cast<std::size_t>(end - ends_.begin())];
  const std::uint64_t before = end == ends_.begin() ? 0 : *(end - 1);
  const std::uint64_t first = (id - before) * row.size();
  if (file.tokens.widen(first, row) >= vocab_)
    return outside_vocabulary(file.path, first, row, vocab_);
  return {};
}

}  // namespace muster::trainer
