// Runs test vectors against the chain's arithmetic and encodings.
//
//   chain_vectors [FOLDER | FILE]        default: tests/vectors
// FILE, or every *.json of FOLDER, by its `schema`. One line per file, `NAME: passed/total (skipped
// N: kinds)`, where total counts all cases, and a line per mismatch. Exit: 0 all passed, 1 a case
// failed, 2 a file or case cannot be read.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>

#include "tests/chain/vectors/families.h"

namespace muster::chain::vectors {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kFileBytesMax = std::uintmax_t{64} << 20;
constexpr int kLinesPerFileMax = 20;

struct Outcome {
  std::size_t total = 0;
  std::size_t passed = 0;
  std::map<std::string, std::size_t> skipped;  // by kind
  int lines = 0;
  bool malformed = false;

  [[nodiscard]] std::size_t skipped_count() const {
    std::size_t count = 0;
    for (const auto& [kind, cases] : skipped) count += cases;
    return count;
  }
};

class FileRun {
 public:
  explicit FileRun(fs::path path) : path_(std::move(path)) {}

  Outcome run() {
    try {
      check_file(read());
    } catch (const Malformed& error) {
      complain("", error.what());
    } catch (const json::exception& error) {
      complain("", error.what());
    }
    return outcome_;
  }

 private:
  json read() {
    std::error_code error;
    const auto bytes = fs::file_size(path_, error);
    if (error) throw Malformed(error.message());
    if (bytes > kFileBytesMax) throw Malformed("the file is too large");
    std::ifstream file(path_);
    if (!file) throw Malformed("the file cannot be read");
    return json::parse(file);
  }

  void check_file(const json& content) {
    const std::string& schema = string_of(member(content, "schema"), "schema");
    const auto family = std::find_if(kFamilies.begin(), kFamilies.end(), [&](const Family& known) {
      return is_version_of(known.schema, schema);
    });
    if (family == kFamilies.end()) throw Malformed("unknown schema '" + schema + "'");
    std::size_t index = 0;
    for (const json& test : array_of(member(content, "cases"), "cases"))
      check_case(*family, test, label(index++, test));
  }

  // "swap/1" also reads "swap/1.1", but not "swap/10".
  static bool is_version_of(std::string_view known, std::string_view schema) {
    if (!schema.starts_with(known)) return false;
    const std::string_view rest = schema.substr(known.size());
    return rest.empty() || rest[0] < '0' || rest[0] > '9';
  }

  static std::string label(std::size_t index, const json& test) {
    std::string text = "case " + std::to_string(index);
    if (!test.is_object()) return text;
    for (const char* name : {"fn", "kind", "name"})
      if (test.contains(name) && test[name].is_string())
        text += " " + test[name].get_ref<const std::string&>().substr(0, 80);
    return text;
  }

  void check_case(const Family& family, const json& test, const std::string& name) {
    if (family.check != nullptr) return counted(name, [&] { return family.check(test); });
    try {
      const json& steps = array_of(member(test, "steps"), "steps");
      for (std::size_t i = 0; i < steps.size(); ++i)
        counted(name + " step " + std::to_string(i), [&] {
          return family.check_step(steps[i], i + 1 < steps.size() ? &steps[i + 1] : nullptr);
        });
    } catch (const Malformed& error) {
      ++outcome_.total;
      complain(name, error.what());
    }
  }

  void counted(const std::string& name, const std::function<Verdict()>& check) {
    try {
      count(name, check());
    } catch (const Malformed& error) {
      ++outcome_.total;
      complain(name, error.what());
    }
  }

  void count(const std::string& name, const Verdict& verdict) {
    ++outcome_.total;
    if (verdict.passed()) ++outcome_.passed;
    if (!verdict.skipped_kind().empty()) ++outcome_.skipped[verdict.skipped_kind()];
    for (const Mismatch& mismatch : verdict.mismatches())
      if (++outcome_.lines <= kLinesPerFileMax)
        std::printf("%s: %s: %s: expected %s, got %s\n", path_.filename().c_str(), name.c_str(),
                    mismatch.field.c_str(), mismatch.expected.c_str(), mismatch.got.c_str());
  }

  void complain(const std::string& name, const char* what) {
    outcome_.malformed = true;
    if (++outcome_.lines <= kLinesPerFileMax)
      std::fprintf(stderr, "chain_vectors: %s: %s%s%s\n", path_.filename().c_str(), name.c_str(),
                   name.empty() ? "" : ": ", what);
  }

  fs::path path_;
  Outcome outcome_;
};

void report(const fs::path& path, const Outcome& outcome) {
  if (outcome.lines > kLinesPerFileMax)
    std::printf("%s: %d more lines\n", path.filename().c_str(), outcome.lines - kLinesPerFileMax);
  std::printf("%s: %zu/%zu (skipped %zu)\n", path.stem().c_str(), outcome.passed, outcome.total,
              outcome.skipped_count());
  for (const auto& [kind, cases] : outcome.skipped)
    std::printf("  not checked: %s, %zu cases\n", kind.c_str(), cases);
}

int run(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> paths;
  if (fs::is_regular_file(folder, error)) {
    paths.push_back(folder);
  } else {
    for (const auto& entry : fs::directory_iterator(folder, error))
      if (entry.path().extension() == ".json") paths.push_back(entry.path());
  }
  if (error || paths.empty()) {
    std::fprintf(stderr, "chain_vectors: %s: %s\n", folder.c_str(),
                 error ? error.message().c_str() : "no *.json files");
    return 2;
  }
  std::sort(paths.begin(), paths.end());
  bool malformed = false;
  bool failed = false;
  for (const fs::path& path : paths) {
    const Outcome outcome = FileRun(path).run();
    report(path, outcome);
    malformed = malformed || outcome.malformed;
    failed = failed || outcome.passed + outcome.skipped_count() != outcome.total;
  }
  return malformed ? 2 : failed ? 1 : 0;
}

}  // namespace
}  // namespace muster::chain::vectors

int main(int count, char** arguments) {
  if (count > 2) {
    std::fprintf(stderr, "usage: chain_vectors [FOLDER | FILE]\n");
    return 2;
  }
  return muster::chain::vectors::run(count == 2 ? arguments[1]
                                                : MUSTER_SOURCE_DIR "/tests/vectors");
}
