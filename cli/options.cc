#include "cli/options.h"

#include <CLI/CLI.hpp>
#include <optional>

namespace muster::cli {

Option Option::required() const { return Option(option_->required()); }
Option Option::show_default() const { return Option(option_->capture_default_str()); }
Option Option::positive() const { return Option(option_->check(CLI::PositiveNumber)); }
Option Option::one_of(const std::vector<std::string>& values) const {
  return Option(option_->check(CLI::IsMember(values)));
}
Option Option::comma_separated() const {
  return Option(option_->delimiter(',')->allow_extra_args(false));
}
Option Option::excludes(const Option& other) const {
  return Option(option_->excludes(other.option_));
}
Option Option::hide() const { return Option(option_->group("")); }

template <class T>
Option Option::in_range(T least, T most) const {
  return Option(option_->check(CLI::Range(least, most)));
}
template Option Option::in_range(int, int) const;
template Option Option::in_range(unsigned, unsigned) const;
template Option Option::in_range(double, double) const;

Command Command::add_command(const std::string& name, const std::string& what) const {
  return {app_->add_subcommand(name, what), chosen_};
}

template <class T>
Option Command::add_option(const std::string& names, T& target, const std::string& what) const {
  return Option(app_->add_option(names, target, what));
}
template Option Command::add_option(const std::string&, std::string&, const std::string&) const;
template Option Command::add_option(const std::string&, double&, const std::string&) const;
template Option Command::add_option(const std::string&, int&, const std::string&) const;
template Option Command::add_option(const std::string&, std::uint16_t&, const std::string&) const;
template Option Command::add_option(const std::string&, std::uint32_t&, const std::string&) const;
template Option Command::add_option(const std::string&, std::uint64_t&, const std::string&) const;
template Option Command::add_option(const std::string&, std::vector<std::string>&,
                                    const std::string&) const;
template Option Command::add_option(const std::string&, std::vector<std::uint32_t>&,
                                    const std::string&) const;
template Option Command::add_option(const std::string&, std::optional<std::string>&,
                                    const std::string&) const;
template Option Command::add_option(const std::string&, std::optional<std::uint16_t>&,
                                    const std::string&) const;
template Option Command::add_option(const std::string&, std::optional<std::uint32_t>&,
                                    const std::string&) const;
template Option Command::add_option(const std::string&, std::optional<std::uint64_t>&,
                                    const std::string&) const;

Option Command::add_flag(const std::string& names, bool& target, const std::string& what) const {
  return Option(app_->add_flag(names, target, what));
}

void Command::footer(const std::string& text) const { app_->footer(text); }
void Command::require_command() const { app_->require_subcommand(1); }
void Command::hide() const { app_->group(""); }

void Command::action(Action action) const {
  app_->callback([app = app_, chosen = chosen_, action = std::move(action)] {
    if (app->get_subcommands().empty()) *chosen = action;
  });
}

CommandLine::CommandLine(const std::string& what, const std::string& footer)
    : app_(std::make_unique<CLI::App>(what)) {
  app_->require_subcommand(1);
  app_->set_help_all_flag("--help-all", "Help of all commands");
  app_->footer(footer);
}
CommandLine::~CommandLine() = default;

Command CommandLine::root() { return {app_.get(), &chosen_}; }

std::variant<Action, int> CommandLine::parse(int argc, char** argv, int usage_error) {
  try {
    app_->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app_->exit(error) == 0 ? 0 : usage_error;
  }
  return chosen_;
}

}  // namespace muster::cli
