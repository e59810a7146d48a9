// TomlSection: a configuration's fields by name, with errors that name file and line.
//
// Fields are read one after the other onto what they set; the first that is wrong, or one that
// nobody asked for, is the error that finish() gives. Thread safety: none; one owner.
#pragma once

#include <toml++/toml.h>

#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace muster::cli {

class TomlSection {
 public:
  // `table`: nothing for a section that is not there. `name`: for messages.
  TomlSection(const toml::table* table, std::string name, std::string file)
      : table_(table), name_(std::move(name)), file_(std::move(file)) {}

  template <class Number>
  requires std::is_arithmetic_v<Number> TomlSection& field(const char* key, Number& target) {
    if constexpr (std::is_same_v<Number, bool>) {
      return read(key, "true or false",
                  [&](const toml::node& node) { return assign(target, node.value_exact<bool>()); });
    } else if constexpr (std::is_floating_point_v<Number>) {
      return read(key, "a number", [&](const toml::node& node) {
        return !node.is_boolean() && assign(target, node.value<double>());
      });
    } else {
      return read(key,
                  "a whole number from " + std::to_string(std::numeric_limits<Number>::min()) +
                      " to " + std::to_string(std::numeric_limits<Number>::max()),
                  [&](const toml::node& node) {
                    const auto value = node.value_exact<std::int64_t>();
                    return value && std::in_range<Number>(*value) && assign(target, value);
                  });
    }
  }
  TomlSection& field(const char* key, std::string& target);
  TomlSection& field(const char* key, std::vector<std::string>& target);
  // A text that `parse` turns into the target; its error is the reader's.
  template <class T>
  TomlSection& parsed(const char* key, T& target,
                      const std::function<Result<T>(const std::string&)>& parse) {
    std::string text;
    if (find(key) == nullptr) return *this;
    field(key, text);
    if (error_) return *this;
    auto value = parse(text);
    if (!value) return refuse(*find(key), key, value.error().message);
    target = std::move(*value);
    return *this;
  }
  // Rows of `columns` numbers: [[1, 2], [3, 4]]; whole ones where the target's are.
  template <class Number>
  TomlSection& rows(const char* key, std::size_t columns,
                    std::vector<std::vector<Number>>& target) {
    const std::string kind = std::is_floating_point_v<Number> ? " numbers" : " whole numbers";
    return read(key, "a list of rows of " + std::to_string(columns) + kind,
                [&](const toml::node& node) {
                  if (!node.is_array()) return false;
                  std::vector<std::vector<Number>> found;
                  for (const auto& item : *node.as_array()) {
                    const auto* row = item.as_array();
                    if (row == nullptr || row->size() != columns) return false;
                    auto& numbers = found.emplace_back();
                    for (const auto& number : *row)
                      if (!(std::is_floating_point_v<Number>
                                ? assign(numbers.emplace_back(), number.template value<double>())
                                : assign(numbers.emplace_back(),
                                         number.template value_exact<std::int64_t>())))
                        return false;
                  }
                  target = std::move(found);
                  return true;
                });
  }
  // The tables of an array of tables, in order; to be finished on their own.
  std::vector<TomlSection> tables(const char* key);
  // Errors that a caller finds in what was read, at this section's place.
  TomlSection& require(bool condition, const char* key, const std::string& expected);

  // Keys that somebody else reads.
  TomlSection& known(std::initializer_list<const char*> keys) {
    used_.insert(keys.begin(), keys.end());
    return *this;
  }

  [[nodiscard]] bool exists() const { return table_ != nullptr; }
  // Errors: kInvalidArgument, the first wrong field, or one that nobody asked for.
  [[nodiscard]] Status finish();

 private:
  template <class T, class Value>
  static bool assign(T& target, const std::optional<Value>& value) {
    if (value) target = static_cast<T>(*value);
    return value.has_value();
  }
  TomlSection& read(const char* key, const std::string& expected,
                    const std::function<bool(const toml::node&)>& take);
  const toml::node* find(const char* key);
  [[nodiscard]] std::string path_of(const std::string& key) const;
  [[nodiscard]] std::string place(const toml::node& node) const;
  TomlSection& refuse(const toml::node& node, const char* key, const std::string& what);

  const toml::table* table_;
  std::string name_;
  std::string file_;
  std::set<std::string> used_;
  std::optional<Error> error_;
};

class TomlFile {
 public:
  // `overrides`: "section.key=value". Errors: kNotFound, kMalformed (with the line),
  // kInvalidArgument (an override).
  [[nodiscard]] static Result<TomlFile> read(const std::filesystem::path& path,
                                             const std::vector<std::string>& overrides = {});

  // Sections refer to this file. The root's own fields are those of section "".
  [[nodiscard]] TomlSection section(const std::string& name) const;
  // Errors: kInvalidArgument, naming a section that is none of these.
  [[nodiscard]] Status check_sections(const std::set<std::string>& known) const;
  // All leaves, as "section.key" and what stands there in one line.
  [[nodiscard]] std::map<std::string, std::string> settings() const;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  TomlFile(std::filesystem::path path, toml::table root)
      : path_(std::move(path)), root_(std::move(root)) {}
  std::filesystem::path path_;
  toml::table root_;
};

}  // namespace muster::cli
