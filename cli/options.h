// Command lines: commands with options, which fill the variables that they are given.
//
// CLI11 does the work, behind this header: compiling it once instead of in every command saves half
// of cli's build. Thread safety: none.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace muster::cli {

// What main() runs after parsing; returns the exit code.
using Action = std::function<Result<int>(const std::atomic<bool>& stop)>;

// An option of a command. A handle: valid as long as its CommandLine.
class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}
  Option required() const;
  // Shows in --help the value that the variable has now.
  Option show_default() const;
  template <class T>
  Option in_range(T least, T most) const;
  Option positive() const;
  Option one_of(const std::vector<std::string>& values) const;
  // Several values in one argument, separated by commas.
  Option comma_separated() const;
  Option excludes(const Option& other) const;
  Option hide() const;

 private:
  CLI::Option* option_;
};

// A command, or a part of one: `ledger`, `ledger wallet`. A handle: valid as long as its
// CommandLine.
class Command {
 public:
  Command(CLI::App* app, Action* chosen) : app_(app), chosen_(chosen) {}
  [[nodiscard]] Command add_command(const std::string& name, const std::string& what) const;
  // `names`: "--name" for an option, "name" for an argument in its place. `target` outlives
  // parsing. For the types that options.cc lists: numbers, strings, lists and optionals of them.
  template <class T>
  Option add_option(const std::string& names, T& target, const std::string& what = "") const;
  Option add_flag(const std::string& names, bool& target, const std::string& what) const;
  // Below the help: examples, exit codes.
  void footer(const std::string& text) const;
  // It does nothing by itself.
  void require_command() const;
  void hide() const;
  // What it does where none of its own commands is chosen.
  void action(Action action) const;

 private:
  CLI::App* app_;
  Action* chosen_;
};

class CommandLine {
 public:
  CommandLine(const std::string& what, const std::string& footer);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;
  [[nodiscard]] Command root();
  // The chosen command's action; or, after help or an error was printed, the code to exit with: 0
  // or `usage_error`.
  [[nodiscard]] std::variant<Action, int> parse(int argc, char** argv, int usage_error);

 private:
  std::unique_ptr<CLI::App> app_;
  Action chosen_;
};

}  // namespace muster::cli
