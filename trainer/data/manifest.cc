#include "trainer/data/manifest.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "trainer/data/token_file.h"
#include "trainer/hf/json_guard.h"

namespace muster::trainer {
namespace {

using nlohmann::json;

constexpr const char* kFormat = "muster-tokens";
constexpr std::uint32_t kVersion = 1;
constexpr int kDepth = 6;
constexpr std::size_t kBytesMax = 64u << 20;  // 300 000 shards

Error malformed(const std::string& what) { return {Errc::kMalformed, "manifest: " + what}; }

Result<std::uint64_t> number(const json& object, const char* key, std::uint64_t max) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_unsigned() || found->get<std::uint64_t>() > max)
    return malformed(std::string("'") + key + "' is missing or no number up to " +
                     std::to_string(max));
  return found->get<std::uint64_t>();
}

Result<std::string> text(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string())
    return malformed(std::string("'") + key + "' is missing or no text");
  return found->get<std::string>();
}

Result<Hash> hash(const json& object, const char* key) {
  MUSTER_TRY(const std::string hex, text(object, key));
  auto parsed = hash_from_hex(hex);
  if (!parsed) return malformed(std::string("'") + key + "': " + parsed.error().message);
  return parsed;
}

// Nothing but a name in the same folder.
Result<std::string> file_name(const json& object) {
  MUSTER_TRY(std::string name, text(object, "file"));
  if (name.empty() || name.size() > 255 || name == "." || name == ".." ||
      name.find_first_of(std::string_view("/\\\0", 3)) != std::string::npos)
    return malformed("'" + name.substr(0, 100) + "' is not the name of a file in its folder");
  return name;
}

Result<Split> parse_split(const json& object, const std::string& name) {
  if (!object.is_object() || !object.contains("shards") || !object["shards"].is_array())
    return malformed("split '" + name.substr(0, 100) + "' has no shards");
  Split split;
  for (const json& entry : object["shards"]) {
    if (!entry.is_object()) return malformed("a shard that is no object");
    Shard shard;
    MUSTER_TRY(shard.file, file_name(entry));
    MUSTER_TRY(shard.tokens, number(entry, "tokens", kShardTokensMax));
    MUSTER_TRY(shard.root, hash(entry, "root"));
    split.shards.push_back(std::move(shard));
  }
  MUSTER_TRY(const std::uint64_t tokens,
             number(object, "tokens", std::numeric_limits<std::uint64_t>::max()));
  MUSTER_TRY(const Hash root, hash(object, "root"));
  if (tokens != split.tokens() || root != split.root())
    return malformed("tokens or root of split '" + name.substr(0, 100) +
                     "' are not those of its shards");
  return split;
}

Result<Manifest::Tokenizer> parse_tokenizer(const json& object) {
  if (!object.is_object()) return malformed("'tokenizer' is missing");
  Manifest::Tokenizer tokenizer;
  MUSTER_TRY(tokenizer.kind, text(object, "kind"));
  if (tokenizer.kind == "bytes") return tokenizer;
  if (tokenizer.kind != "sentencepiece" && tokenizer.kind != "huggingface")
    return malformed("tokenizer kind '" + tokenizer.kind.substr(0, 100) +
                     "'; known are bytes, sentencepiece, huggingface");
  MUSTER_TRY(tokenizer.file, file_name(object));
  MUSTER_TRY(tokenizer.sha256, hash(object, "sha256"));
  return tokenizer;
}

}  // namespace

std::uint64_t Split::tokens() const {
  std::uint64_t sum = 0;
  for (const Shard& shard : shards) sum += shard.tokens;
  return sum;
}

Hash Split::root() const {
  std::vector<Hash> roots;
  for (const Shard& shard : shards) roots.push_back(shard.root);
  return merkle_root(roots);
}

std::string write_manifest(const Manifest& manifest) {
  nlohmann::ordered_json out{{"format", kFormat},
                             {"version", kVersion},
                             {"vocab", manifest.vocab},
                             {"context", manifest.context}};
  out["tokenizer"]["kind"] = manifest.tokenizer.kind;
  if (manifest.tokenizer.kind != "bytes") {
    out["tokenizer"]["file"] = manifest.tokenizer.file;
    out["tokenizer"]["sha256"] = manifest.tokenizer.sha256.hex();
  }
  out["splits"] = nlohmann::ordered_json::object();
  for (const auto& [name, split] : manifest.splits) {
    auto shards = nlohmann::ordered_json::array();
    for (const Shard& shard : split.shards)
      shards.push_back(
          {{"file", shard.file}, {"tokens", shard.tokens}, {"root", shard.root.hex()}});
    out["splits"][name] = {
        {"tokens", split.tokens()}, {"root", split.root().hex()}, {"shards", shards}};
  }
  return out.dump(1) + "\n";
}

Result<Manifest> parse_manifest(ByteSpan bytes) {
  MUSTER_TRY(const json parsed, parse_json(bytes, kDepth, "manifest"));
  if (!parsed.is_object() || parsed.value("format", json()) != kFormat)
    return malformed(std::string("its format is not \"") + kFormat + "\"");
  constexpr std::uint64_t kWord = std::numeric_limits<std::uint32_t>::max();
  MUSTER_TRY(const std::uint64_t version, number(parsed, "version", kWord));
  if (version != kVersion)
    return Error{Errc::kVersion, "manifest: version " + std::to_string(version) +
                                     ", this build reads " + std::to_string(kVersion)};
  Manifest manifest;
  MUSTER_TRY(const std::uint64_t vocab, number(parsed, "vocab", kWord));
  MUSTER_TRY(const std::uint64_t context, number(parsed, "context", kWord));
  manifest.vocab = static_cast<std::uint32_t>(vocab);
  manifest.context = static_cast<std::uint32_t>(context);
  MUSTER_TRY(manifest.tokenizer, parse_tokenizer(parsed.value("tokenizer", json())));
  const json splits = parsed.value("splits", json());
  if (!splits.is_object()) return malformed("'splits' is missing");
  for (const auto& [name, object] : splits.items()) {
    MUSTER_TRY(manifest.splits[name], parse_split(object, name));
  }
  return manifest;
}

Result<Manifest> read_manifest(const std::filesystem::path& folder) {
  const auto path = folder / kManifestFile;
  auto bytes = read_file(path, kBytesMax);
  if (!bytes && bytes.error().code == Errc::kNotFound)
    return Error{Errc::kNotFound, path.string() +
                                      ": no packed data here; `muster data pack … --to " +
                                      folder.string() + "` makes it"};
  if (!bytes) return std::move(bytes).error();
  auto manifest = parse_manifest(*bytes);
  if (!manifest) return std::move(manifest).error().within(folder.string());
  return manifest;
}

}  // namespace muster::trainer
