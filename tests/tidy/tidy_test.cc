// The house rules as tests: who may include whom, where third-party headers may stand, no test left
// out.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

const fs::path kRoot = MUSTER_SOURCE_DIR;

struct Source {
  std::string path;  // relative
  std::string module;
  std::string text;
};

std::vector<Source> sources(const std::vector<std::string>& folders) {
  std::vector<Source> found;
  for (const std::string& folder : folders) {
    if (!fs::exists(kRoot / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
      const auto extension = entry.path().extension();
      if (extension != ".h" && extension != ".cc" && extension != ".cu" && extension != ".cuh")
        continue;
      std::ostringstream text;
      text << std::ifstream(entry.path()).rdbuf();
      found.push_back({fs::relative(entry.path(), kRoot).generic_string(), folder, text.str()});
    }
  }
  return found;
}

// docs/architecture.md's table.
const std::map<std::string, std::set<std::string>> kMayInclude{
    {"base", {}},
    {"wire", {"base"}},
    {"compression", {"base"}},
    {"state", {"base", "compression"}},
    {"model", {"base", "compression", "state"}},
    {"cuda", {"base", "compression", "state", "model"}},
    {"protocol", {"base", "wire", "compression", "state"}},
    {"store", {"base", "wire", "compression", "protocol"}},
    {"chain", {"base", "wire", "protocol", "store"}},
    {"coordinator", {"base", "wire", "compression", "state", "protocol"}},
    {"miner", {"base", "wire", "compression", "state", "protocol"}},
    {"verify", {"base", "wire", "compression", "state", "protocol"}},
    {"trainer", {"base", "wire", "compression", "state", "model", "cuda", "protocol"}},
    {"sim",
     {"base", "wire", "compression", "state", "protocol", "chain", "coordinator", "miner",
      "verify"}},
    {"cli",
     {"base", "wire", "compression", "state", "model", "cuda", "protocol", "store", "chain",
      "coordinator", "miner", "verify", "trainer", "sim"}}};

std::vector<std::string> modules() {
  std::vector<std::string> names;
  for (const auto& [name, allowed] : kMayInclude) names.push_back(name);
  return names;
}

std::vector<std::string> includes(const std::string& text) {
  std::vector<std::string> found;
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    if (!line.starts_with("#include ") || line.size() < 11) continue;
    found.push_back(line.substr(10, line.find_first_of(">\"", 10) - 10));
  }
  return found;
}

TEST(Layering, EveryIncludeIsAllowedByTheTable) {
  for (const Source& source : sources(modules())) {
    for (const std::string& include : includes(source.text)) {
      const std::string target = include.substr(0, include.find('/'));
      if (!kMayInclude.contains(target) || target == source.module) continue;
      EXPECT_TRUE(kMayInclude.at(source.module).contains(target))
          << source.path << " includes " << include;
    }
  }
}

// Of one module, the folders from the lowest up: each includes only itself and those before it.
const std::map<std::string, std::vector<std::string>> kFoldersUp{
    {"chain",
     {"chain/fixed", "chain/codec", "chain/yuma", "chain/economy", "chain/runtime",
      "chain/service"}}};

TEST(Layering, FoldersOfAModuleIncludeDownOnly) {
  for (const auto& [module, order] : kFoldersUp) {
    const auto level = [&](const std::string& path) {
      const std::string folder = fs::path(path).parent_path().generic_string();
      return std::ranges::find(order, folder) - order.begin();
    };
    for (const Source& source : sources({module})) {
      EXPECT_LT(level(source.path), std::ssize(order))
          << source.path << " is in no folder of " << module;
      for (const std::string& include : includes(source.text)) {
        if (!include.starts_with(module + "/")) continue;
        EXPECT_LE(level(include), level(source.path)) << source.path << " includes " << include;
      }
    }
  }
}

TEST(Layering, ThirdPartyHeadersStayInTheirFiles) {
  const std::map<std::string, std::set<std::string>> homes{
      {"openssl/", {"base/hash.cc", "base/cipher.cc"}},
      {"sodium.h", {"base/sign.cc", "base/key.cc", "chain/codec/blake2b.cc"}},
      {"xxhash.h", {"chain/codec/twox.cc"}},
      {"spdlog/", {"base/log.cc"}},
      {"cereal/", {"wire/codec.h"}},
      {"zmq.hpp", {"wire/zmq_internal.h"}},
      {"sqlite3.h", {"store/sqlite.cc"}},
      {"gloo/", {"trainer/ranks/gloo_collective.cc"}},
      {"sentencepiece_", {"trainer/data/sentencepiece_tokenizer.cc"}},
      {"CLI/", {"cli/options.cc"}},
      {"toml++/", {"cli/toml_section.h"}}};
  for (const Source& source : sources(modules())) {
    for (const std::string& include : includes(source.text)) {
      for (const auto& [header, files] : homes) {
        if (include.starts_with(header)) {
          EXPECT_TRUE(files.contains(source.path)) << source.path << " includes " << include;
        }
      }
      if (include.starts_with("ATen/") || include.starts_with("torch/")) {
        EXPECT_TRUE(source.path.starts_with("trainer/torch/"))
            << source.path << " includes " << include;
      }
      if (include.starts_with("cuda_") || include.starts_with("cub/") ||
          include.starts_with("nccl") || include.starts_with("cublas")) {
        EXPECT_EQ(source.module, "cuda") << source.path << " includes " << include;
      }
    }
  }
}

TEST(Style, HeadersSayOnceAndWhatTheyAre) {
  for (const Source& source : sources(modules())) {
    if (!source.path.ends_with(".h") && !source.path.ends_with(".cuh")) continue;
    EXPECT_TRUE(source.text.starts_with("//"))
        << source.path << " starts without saying what it is";
    EXPECT_NE(source.text.find("#pragma once"), std::string::npos) << source.path;
  }
}

TEST(Style, NothingIsLeftUnfinishedOrPrintedFromTheCore) {
  const std::vector<std::string> banned{"TODO", "FIXME", "XXX", "std::cout", "sleep_for", "rand()"};
  for (const Source& source : sources(modules()))
    for (const std::string& word : banned)
      EXPECT_EQ(source.text.find(word), std::string::npos) << source.path << " has " << word;
}

TEST(Style, FilesStaySmall) {
  for (const Source& source : sources(modules())) {
    const auto lines = std::count(source.text.begin(), source.text.end(), '\n');
    EXPECT_LE(lines, 560) << source.path << " grows: does it still hold one idea?";
  }
}

TEST(Style, LinesFitAScreen) {
  for (const Source& source : sources(modules())) {
    std::istringstream lines(source.text);
    std::string line;
    for (int number = 1; std::getline(lines, line); ++number)
      EXPECT_LE(std::ranges::count_if(line, [](char c) { return (c & 0xc0) != 0x80; }),
                100)  // UTF-8
          << source.path << ":" << number;
  }
}

// A block that ends with "}" in column 0 or 2 is the body of a function, as clang-format writes it:
// types end with "};".
struct Block {
  std::size_t first, lines;
};

std::vector<Block> function_blocks(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  std::vector<Block> blocks;
  for (const std::size_t indent : {0u, 2u}) {
    const std::string end = std::string(indent, ' ') + "}";
    std::size_t start = 0;
    bool open = false;  // the lines since `start` have an opening brace
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const std::string& line = lines[i];
      if (line.find_first_not_of(' ') != indent || line.starts_with("#")) continue;
      if (line == end && open) blocks.push_back({start + 1, i - start + 1});
      if (line.starts_with(end)) {
        open = false;
        start = i + 1;
        continue;
      }
      const bool declares = line.find("namespace") != std::string::npos || line.starts_with("//");
      if (!open) start = i;
      open = !declares && (open || line.ends_with("{"));
    }
  }
  return blocks;
}

TEST(Style, FunctionsFitAScreen) {
  // Longer today: tables in disguise, and loops over all kinds of action.
  const std::set<std::string> longer{
      "chain/runtime/dispatch_error.cc", "cli/run_config.cc",       "sim/attacks/catalogue.cc",
      "sim/attacks/protocol_attacks.cc", "sim/coordinator_node.cc", "verify/service.cc"};
  for (const Source& source : sources(modules())) {
    const auto blocks = function_blocks(source.text);
    const auto longest = std::ranges::max_element(blocks, {}, &Block::lines);
    const bool fits = blocks.empty() || longest->lines <= 70;
    EXPECT_EQ(fits, !longer.contains(source.path))
        << source.path << ":" << (blocks.empty() ? 0 : longest->first)
        << (fits ? " is no longer too long" : " has a function that is too long");
  }
}

TEST(Tests, EveryTestFileIsInTheBuild) {
  for (const Source& source : sources({"tests"})) {
    if (!source.path.ends_with("_test.cc")) continue;
    const fs::path file = kRoot / source.path;
    fs::path folder = file.parent_path();
    while (!fs::exists(folder / "CMakeLists.txt")) folder = folder.parent_path();
    std::ostringstream build;
    build << std::ifstream(folder / "CMakeLists.txt").rdbuf();
    EXPECT_NE(build.str().find(fs::relative(file, folder).generic_string()), std::string::npos)
        << source.path << " is not built";
  }
}

}  // namespace
