// Result<T>: a value or an Error, for everything that a peer, a file or a user can cause.
//
// Our own bugs do not travel here: they abort in base/check.h. Interface of std::expected, which
// the supported compilers do not ship yet. Thread safety: plain values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/check.h"

namespace muster {

// Closed: one line per kind of failure that a caller may want to tell apart.
enum class Errc {
  kInvalidArgument,  // a user or configuration gave a value outside its range
  kMalformed,        // bytes that are not the canonical encoding of anything
  kTooLarge,         // over a limit of base/limits.h or of a configuration
  kTruncated,        // fewer bytes than the content needs
  kNonFinite,        // a NaN, an infinity, -0 or a denormal where none may be
  kBadSignature,     // the signature is not the sender's over these bytes
  kBadHash,          // the content does not have the hash it was asked for by
  kWrongRun,         // another run, ledger or network
  kWrongRound,       // another round or parent than the current one
  kVersion,          // a format version that this build does not know
  kNotFound,
  kAlreadyExists,
  kPermission,     // not registered, not the role for it, or a file readable by others
  kConflict,       // two versions of what may exist once (equivocation)
  kIo,             // the operating system refused; the message has its words
  kNoSpace,        // the disk is full
  kNoDescriptors,  // the process, or the machine, has no file descriptor left
  kTimeout,
  kClosed,     // the other side or this one is going away
  kCancelled,  // asked to stop
};

[[nodiscard]] std::string_view name_of(Errc code);

struct Error {
  Errc code;
  std::string message;  // names what and where, and the mend when there is one

  // The same error with `where` in front: "where: message".
  [[nodiscard]] Error within(std::string_view where) && {
    message.insert(0, std::string(where) + ": ");
    return std::move(*this);
  }
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : content_(std::in_place_index<1>, std::move(error)) {}

  [[nodiscard]] bool has_value() const { return content_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  // REQUIRES: has_value().
  T& value() & { return check_value(), std::get<0>(content_); }
  const T& value() const& { return check_value(), std::get<0>(content_); }
  // By value: `for (auto& x : f().value())` must not outlive its result.
  T value() && { return check_value(), std::get<0>(std::move(content_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // REQUIRES: !has_value().
  [[nodiscard]] const Error& error() const& { return check_error(), std::get<1>(content_); }
  [[nodiscard]] Error&& error() && { return check_error(), std::get<1>(std::move(content_)); }

 private:
  void check_value() const { MUSTER_CHECK(has_value(), std::get<1>(content_).message); }
  void check_error() const { MUSTER_CHECK(!has_value(), "no error in this result"); }
  std::variant<T, Error> content_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  [[nodiscard]] bool has_value() const { return !error_; }
  explicit operator bool() const { return has_value(); }
  void value() const { MUSTER_CHECK(!error_, error_ ? error_->message : ""); }
  [[nodiscard]] const Error& error() const& {
    MUSTER_CHECK(error_.has_value(), "no error in this result");
    return *error_;
  }
  [[nodiscard]] Error&& error() && {
    MUSTER_CHECK(error_.has_value(), "no error in this result");
    return std::move(*error_);
  }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace muster

#define MUSTER_CONCAT_(a, b) a##b
#define MUSTER_CONCAT(a, b) MUSTER_CONCAT_(a, b)
#define MUSTER_TRY_(result, declaration, expression)         \
  auto result = (expression);                                \
  if (!result.has_value()) return std::move(result).error(); \
  declaration = std::move(result).value()

// MUSTER_TRY(auto x, f()): declares x from f()'s value or returns f()'s error.
#define MUSTER_TRY(declaration, expression) \
  MUSTER_TRY_(MUSTER_CONCAT(muster_result_, __LINE__), declaration, expression)

// MUSTER_TRY_STATUS(f()): returns f()'s error, if any.
#define MUSTER_TRY_STATUS(expression)                                        \
  do {                                                                       \
    auto muster_status = (expression);                                       \
    if (!muster_status.has_value()) return std::move(muster_status).error(); \
  } while (false)
