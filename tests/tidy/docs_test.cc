// The pages as tests: links lead somewhere, and the commands that a reader copies are run by a test
// or listed with the reason why not.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

const fs::path kRoot = MUSTER_SOURCE_DIR;

std::string text_of(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

std::vector<fs::path> pages() {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(kRoot))
    if (entry.path().extension() == ".md") found.push_back(entry.path());
  for (const char* folder : {"docs", "tests"})
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder))
      if (entry.path().extension() == ".md") found.push_back(entry.path());
  return found;
}

struct Line {
  std::string text;
  bool in_block;  // of ``` to ```
};

std::vector<Line> lines_of(const fs::path& page) {
  std::vector<Line> lines;
  std::istringstream text(text_of(page));
  std::string line;
  bool in_block = false;
  while (std::getline(text, line)) {
    const bool fence = line.starts_with("```");
    if (fence) in_block = !in_block;
    if (!fence) lines.push_back({line, in_block});
  }
  return lines;
}

// The anchor that GitHub gives a heading: lower case, spaces as hyphens, punctuation gone.
std::string anchor_of(const std::string& heading) {
  std::string anchor;
  for (const char c :
       heading.substr(std::min(heading.find_first_not_of('#') + 1, heading.size()))) {
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || (c & 0x80)) {
      anchor += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (c == ' ') {
      anchor += '-';
    }
  }
  return anchor;
}

std::set<std::string> anchors_of(const fs::path& page) {
  std::set<std::string> anchors;
  for (const Line& line : lines_of(page))
    if (!line.in_block && line.text.starts_with("#")) anchors.insert(anchor_of(line.text));
  return anchors;
}

// Commands of a page's blocks: lines at their start, without comments, with single spaces.
std::set<std::string> commands_of(const fs::path& page) {
  static const std::regex command(
      R"(^(muster |\./|examples/|cmake/|tests/|build/|bench/|[A-Z]+=).*)");
  static const std::regex comment(R"( +# .*$)");
  std::set<std::string> commands;
  for (const Line& line : lines_of(page)) {
    if (line.in_block && std::regex_match(line.text, command))
      commands.insert(std::regex_replace(line.text, comment, ""));
  }
  return commands;
}

struct Listed {
  std::string test;  // a path, or "not run"
  std::string text;  // what to find in it, or why not
};

std::map<std::string, Listed> listed_commands() {
  std::map<std::string, Listed> listed;
  for (const Line& line : lines_of(kRoot / "tests/tidy/commands.txt")) {
    if (line.text.empty() || line.text.starts_with("#")) continue;
    const std::size_t first = line.text.find(" | "), second = line.text.find(" | ", first + 3);
    if (second == std::string::npos) {
      ADD_FAILURE() << "not COMMAND | TEST | TEXT: " << line.text;
      continue;
    }
    listed[line.text.substr(0, first)] = {line.text.substr(first + 3, second - first - 3),
                                          line.text.substr(second + 3)};
  }
  return listed;
}

TEST(Docs, EveryLinkLeadsToAFileAndAHeading) {
  const std::regex link(R"(\]\(([^)\s]+)\))");
  for (const fs::path& page : pages()) {
    for (const Line& line : lines_of(page)) {
      if (line.in_block) continue;
      for (auto found = std::sregex_iterator(line.text.begin(), line.text.end(), link);
           found != std::sregex_iterator(); ++found) {
        const std::string target = (*found)[1];
        if (target.find("://") != std::string::npos) continue;
        const std::string file = target.substr(0, target.find('#'));
        const fs::path path = file.empty() ? page : page.parent_path() / file;
        EXPECT_TRUE(fs::exists(path)) << page << " links to " << target;
        if (file.size() < target.size() && path.extension() == ".md") {
          EXPECT_TRUE(anchors_of(path).contains(target.substr(file.size() + 1)))
              << page << " links to " << target << ", which has no such heading";
        }
      }
    }
  }
}

TEST(Docs, EveryCommandIsRunOrSaysWhyNot) {
  std::set<std::string> commands = commands_of(kRoot / "README.md");
  commands.merge(commands_of(kRoot / "docs/operations.md"));
  const auto listed = listed_commands();
  for (const std::string& command : commands)
    EXPECT_TRUE(listed.contains(command)) << "tests/tidy/commands.txt lacks: " << command;
  for (const auto& [command, how] : listed) {
    EXPECT_TRUE(commands.contains(command)) << "no page has: " << command;
    if (how.test == "not run") continue;
    EXPECT_NE(text_of(kRoot / how.test).find(how.text), std::string::npos)
        << how.test << " does not have: " << how.text;
  }
}

}  // namespace
