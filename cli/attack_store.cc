#include "cli/attack_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/file.h"
#include "cli/json_text.h"

namespace muster::cli {
namespace fs = std::filesystem;
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kFileBytesMax = std::size_t{64} << 20;
constexpr std::string_view kPrefix = "seed-", kSuffix = ".jsonl";

ordered_json json_of(const sim::Career& career) {
  ordered_json json{
      {"attack", career.attack == nullptr ? "honest" : std::string(career.attack->name)}};
  if (career.attack == nullptr && career.percent == 0) json["miner"] = career.miner;
  if (career.percent > 0) json["percent"] = career.percent;
  json.update({{"work", career.work},
               {"screened", career.screened},
               {"gated", career.gated},
               {"unpaid", career.unpaid},
               {"score", career.score},
               {"share", career.share},
               {"judged", career.judged},
               {"measured", career.measured},
               {"unpaid_early", career.unpaid_early},
               {"unpaid_settled", career.unpaid_settled},
               {"beside", {career.beside.judged, career.beside.refused}},
               {"weights", career.weights},
               {"pay", career.pay}});
  if (career.percent > 0)
    json.update({{"held_out", career.held_out}, {"honest_pay", career.honest_pay}});
  return json;
}

// Throws what nlohmann::json throws where something is missing or of another type.
sim::Career career_of(const ordered_json& json, const sim::Attack* attack, std::uint64_t seed) {
  sim::Career career;
  career.attack = attack;
  career.seed = seed;
  career.miner = json.value("miner", 0u);
  career.percent = json.value("percent", 0u);
  json.at("work").get_to(career.work);
  json.at("screened").get_to(career.screened);
  json.at("gated").get_to(career.gated);
  json.at("unpaid").get_to(career.unpaid);
  json.at("score").get_to(career.score);
  json.at("share").get_to(career.share);
  json.at("judged").get_to(career.judged);
  json.at("measured").get_to(career.measured);
  json.at("unpaid_early").get_to(career.unpaid_early);
  json.at("unpaid_settled").get_to(career.unpaid_settled);
  json.at("beside").at(0).get_to(career.beside.judged);
  json.at("beside").at(1).get_to(career.beside.refused);
  json.at("weights").get_to(career.weights);
  json.at("pay").get_to(career.pay);
  if (career.percent == 0) return career;
  json.at("held_out").get_to(career.held_out);
  json.at("honest_pay").get_to(career.honest_pay);
  if (career.held_out.empty() || career.honest_pay.empty()) json.at("no losses");
  return career;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// Nothing: the file is none of a store's.
std::optional<std::uint64_t> seed_of(const fs::path& path) {
  const std::string name = path.filename().string();
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
  const char *first = name.data() + kPrefix.size(),
             *last = name.data() + name.size() - kSuffix.size();
  std::uint64_t seed = 0;
  const auto [end, error] = std::from_chars(first, last, seed);
  return error == std::errc{} && end == last ? std::optional(seed) : std::nullopt;
}

// Reads the lines of one file after the other.
class Reader {
 public:
  Reader(const Hash& rules, const Hash& data)
      : rules_(rules.brief()), data_(data == Hash{} ? "" : data.brief()) {}

  Status read(const fs::path& path, std::uint64_t seed) {
    MUSTER_TRY(const Bytes bytes, read_file(path, kFileBytesMax));
    std::map<std::string, int> left_out;
    for (const std::string_view line :
         lines_of({reinterpret_cast<const char*>(bytes.data()), bytes.size()})) {
      const std::string why = take(line, seed);
      if (!why.empty()) ++left_out[why];
    }
    for (const auto& [why, count] : left_out)
      content_.left_out.push_back(path.string() + ": left out " + std::to_string(count) +
                                  " results " + why);
    if (mixed_)
      return Error{Errc::kInvalidArgument,
                   path.string() +
                       " has results of another data set than the files before it: "
                       "name the folder of one, or measure with the data at hand"};
    return {};
  }
  [[nodiscard]] AttackStore::Content take_content() { return std::move(content_); }

 private:
  // Why the line was left out; empty: it was not.
  std::string take(std::string_view line, std::uint64_t seed) {
    const auto json = ordered_json::parse(line, nullptr, false);
    if (json.is_discarded() || !json.is_object()) return "that are not JSON";
    try {
      const auto rules = json.at("rules").get<std::string>(),
                 data = json.at("data").get<std::string>();
      if (rules != rules_) return "of other rules (" + rules + ", here " + rules_ + ")";
      const auto name = json.at("attack").get<std::string>();
      const sim::Attack* attack = sim::find_attack(name);
      if (attack == nullptr && name != "honest")
        return "of an attack that is not known, '" + name + "'";
      const bool any = data_.empty();
      if (any) data_ = data;
      mixed_ |= any_data_ && data != data_;
      any_data_ |= any;
      if (data != data_) return "of other data (" + data + ", here " + data_ + ")";
      auto career = career_of(json, attack, seed);
      const Key key{name, career.percent, seed, career.miner};
      if (seen_.insert(key).second) content_.careers.push_back(std::move(career));
      return "";
    } catch (const ordered_json::exception&) {
      return "that lack a field or have one of another type";
    }
  }

  using Key = std::tuple<std::string, std::uint32_t, std::uint64_t, std::uint32_t>;
  std::string rules_, data_;
  bool any_data_ = false, mixed_ = false;
  std::set<Key> seen_;
  AttackStore::Content content_;
};

}  // namespace

Result<AttackStore> AttackStore::open(const fs::path& folder, const std::string& setting,
                                      const Hash& rules, const Hash& data) {
  const fs::path of_setting = folder / setting;
  std::error_code error;
  fs::create_directories(of_setting, error);
  if (error)
    return Error{Errc::kIo,
                 "cannot make the folder " + of_setting.string() + ": " + error.message()};
  return AttackStore(of_setting, rules, data);
}

fs::path AttackStore::file_of(std::uint64_t seed) const {
  return folder_ / (std::string(kPrefix) + std::to_string(seed) + std::string(kSuffix));
}

Result<AttackStore::Content> AttackStore::read() const {
  std::map<std::uint64_t, fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error))
    if (const auto seed = seed_of(entry.path())) files[*seed] = entry.path();
  if (error) return Error{Errc::kIo, "cannot list " + folder_.string() + ": " + error.message()};
  Reader reader(rules_, data_);
  for (const auto& [seed, path] : files) MUSTER_TRY_STATUS(reader.read(path, seed));
  return reader.take_content();
}

Status AttackStore::add(std::uint64_t seed, const std::vector<sim::Career>& careers) const {
  const FileHandle lock(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock || ::flock(lock.get(), LOCK_EX) != 0) return system_error(folder_, "lock");
  std::string text;
  const fs::path path = file_of(seed);
  if (fs::exists(path)) {
    MUSTER_TRY(const Bytes bytes, read_file(path, kFileBytesMax));
    text.assign(bytes.begin(), bytes.end());
  }
  for (const sim::Career& career : careers) {
    ordered_json line{{"rules", rules_.brief()}, {"data", data_.brief()}};
    line.update(json_of(career));
    text += json_text(line) + "\n";
  }
  return replace_file(path, bytes_of(text));
}

Result<LockFile> AttackStore::claim(const std::string& name) const {
  return LockFile::take(folder_ / (name + ".lock"),
                        "muster sim attacks, process " + std::to_string(::getpid()));
}

}  // namespace muster::cli
