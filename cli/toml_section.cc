#include "cli/toml_section.h"

#include <sstream>

#include "base/printable.h"

namespace muster::cli {

TomlSection& TomlSection::field(const char* key, std::string& target) {
  return read(key, "a text", [&](const toml::node& node) {
    return assign(target, node.value_exact<std::string>());
  });
}

TomlSection& TomlSection::field(const char* key, std::vector<std::string>& target) {
  return read(key, "a list of texts", [&](const toml::node& node) {
    if (!node.is_array()) return false;
    std::vector<std::string> texts;
    for (const auto& item : *node.as_array()) {
      const auto value = item.value_exact<std::string>();
      if (!value) return false;
      texts.push_back(*value);
    }
    target = std::move(texts);
    return true;
  });
}

std::vector<TomlSection> TomlSection::tables(const char* key) {
  std::vector<TomlSection> found;
  read(key, "a list of tables", [&](const toml::node& node) {
    if (!node.is_array()) return false;
    for (const auto& item : *node.as_array()) {
      if (!item.is_table()) return false;
      found.emplace_back(item.as_table(), path_of(key) + "[" + std::to_string(found.size()) + "]",
                         file_);
    }
    return true;
  });
  return found;
}

TomlSection& TomlSection::require(bool condition, const char* key, const std::string& expected) {
  const toml::node* node = find(key);
  if (condition || error_) return *this;
  if (node != nullptr) return refuse(*node, key, expected);
  error_ = Error{Errc::kInvalidArgument, file_ + ": '" + path_of(key) + "' must be " + expected};
  return *this;
}

Status TomlSection::finish() {
  if (error_) return *error_;
  if (table_ == nullptr) return {};
  for (const auto& [key, node] : *table_) {
    if (!used_.contains(std::string(key.str())))
      return Error{Errc::kInvalidArgument, place(node) + ": '" + path_of(std::string(key.str())) +
                                               "' is no known field; look for a typing error"};
  }
  return {};
}

TomlSection& TomlSection::read(const char* key, const std::string& expected,
                               const std::function<bool(const toml::node&)>& take) {
  const toml::node* node = find(key);
  if (node == nullptr || take(*node)) return *this;
  return refuse(*node, key, expected);
}

const toml::node* TomlSection::find(const char* key) {
  used_.insert(key);
  return table_ == nullptr || error_ ? nullptr : table_->get(key);
}

std::string TomlSection::path_of(const std::string& key) const {
  return name_.empty() ? key : name_ + "." + key;
}

std::string TomlSection::place(const toml::node& node) const {
  const auto line = node.source().begin.line;
  return line == 0 ? "--set" : file_ + ":" + std::to_string(line);
}

TomlSection& TomlSection::refuse(const toml::node& node, const char* key, const std::string& what) {
  error_ = Error{Errc::kInvalidArgument, place(node) + ": '" + path_of(key) + "' must be " + what};
  return *this;
}

namespace {

Status apply_override(toml::table& root, const std::string& text) {
  const auto refuse = [&](const std::string& why) {
    return Error{Errc::kInvalidArgument, "--set " + text + ": " + why};
  };
  const auto equals = text.find('=');
  const auto dot = text.find('.');
  if (equals == std::string::npos || dot == std::string::npos || dot > equals)
    return refuse("write it as section.key=value");
  const std::string section = text.substr(0, dot), key = text.substr(dot + 1, equals - dot - 1);
  const std::string value = text.substr(equals + 1);
  toml::table parsed;
  try {
    parsed = toml::parse("value = " + value);
  } catch (const toml::parse_error&) {
    parsed.insert_or_assign("value", value);  // an unquoted text
  }
  if (!root.contains(section)) root.insert(section, toml::table{});
  toml::table* table = root[section].as_table();
  if (table == nullptr) return refuse("'" + section + "' is no section");
  if (const auto* number = parsed["value"].as_integer())
    table->insert_or_assign(key, number->get());
  else if (const auto* real = parsed["value"].as_floating_point())
    table->insert_or_assign(key, real->get());
  else if (const auto* flag = parsed["value"].as_boolean())
    table->insert_or_assign(key, flag->get());
  else if (const auto* list = parsed["value"].as_array())
    table->insert_or_assign(key, *list);
  else
    table->insert_or_assign(key, parsed["value"].value_or(value));
  return {};
}

}  // namespace

Result<TomlFile> TomlFile::read(const std::filesystem::path& path,
                                const std::vector<std::string>& overrides) {
  if (!std::filesystem::exists(path))
    return Error{Errc::kNotFound, path.string() + ": no such configuration file"};
  toml::table root;
  try {
    root = toml::parse_file(path.string());
  } catch (const toml::parse_error& error) {
    return Error{Errc::kMalformed, path.string() + ":" + std::to_string(error.source().begin.line) +
                                       ": " + std::string(error.description())};
  }
  for (const std::string& text : overrides) MUSTER_TRY_STATUS(apply_override(root, text));
  return TomlFile(path, std::move(root));
}

TomlSection TomlFile::section(const std::string& name) const {
  return TomlSection(name.empty() ? &root_ : root_[name].as_table(), name, path_.string());
}

namespace {

constexpr std::size_t kSettingBytesMax = 64u << 10;

void collect(const toml::table& table, const std::string& prefix,
             std::map<std::string, std::string>& settings) {
  for (const auto& [key, node] : table) {
    const std::string name =
        prefix.empty() ? std::string(key.str()) : prefix + "." + std::string(key.str());
    if (const toml::table* inner = node.as_table()) {
      collect(*inner, name, settings);
      continue;
    }
    std::ostringstream text;
    node.visit([&](const auto& value) { text << value; });
    settings[name] = printable(text.str(), kSettingBytesMax);
  }
}

}  // namespace

std::map<std::string, std::string> TomlFile::settings() const {
  std::map<std::string, std::string> settings;
  collect(root_, "", settings);
  return settings;
}

Status TomlFile::check_sections(const std::set<std::string>& known) const {
  for (const auto& [key, node] : root_) {
    if (known.contains(std::string(key.str()))) continue;
    return Error{Errc::kInvalidArgument, path_.string() + ":" +
                                             std::to_string(node.source().begin.line) + ": '" +
                                             std::string(key.str()) + "' is no known section"};
  }
  return {};
}

}  // namespace muster::cli
