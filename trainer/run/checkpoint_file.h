// A checkpoint of a training as one file: everything that the next step depends on.
//
// "MUSTERCK", u32 version, u64 length of the head, the head, zeros up to a multiple of 64, the
// arrays' floats one array after the other, SHA-256 of all before it. Little-endian. The order of
// the data and the initial model are functions of the seed and a position, so no generator's state
// is kept. Thread safety: pure but for the file.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "trainer/optim/optimizer.h"
#include "trainer/run/loss_guard.h"

namespace muster::trainer {

// A field of a configuration by name, as text: {"model.layers", "2"}.
struct Setting {
  std::string name;
  std::string value;
  bool operator==(const Setting&) const = default;
};

struct ArrayName {
  std::string name;
  std::uint64_t elements = 0;
  bool operator==(const ArrayName&) const = default;
};

struct CheckpointHead {
  std::vector<Setting> binding;       // must be equal to go on: model, data, optimizer
  std::vector<Setting> noted;         // may be changed on the way: learning rate, number of steps
  std::uint64_t step = 0;             // steps behind it, skipped ones too
  std::uint64_t sequences = 0;        // position in the data, over all epochs
  std::uint64_t optimizer_steps = 0;  // applied
  GuardState guard;
  std::vector<ArrayName> arrays;
  bool operator==(const CheckpointHead&) const = default;
};

// Replaces the file as a whole; durable on return. Of head.arrays, sizes are taken from `arrays`.
// Errors: kNoSpace, kIo.
[[nodiscard]] Status write_checkpoint(const std::filesystem::path& path, CheckpointHead head,
                                      std::span<const NamedState> arrays);

// A checked checkpoint, mapped.
class CheckpointFile {
 public:
  // Errors: kNotFound, kMalformed, kTruncated, kTooLarge, kVersion, kBadHash (damaged); all name
  // the file.
  [[nodiscard]] static Result<CheckpointFile> open(const std::filesystem::path& path);
  [[nodiscard]] const CheckpointHead& head() const { return head_; }
  // Copies the arrays into those of equal name. Errors: kInvalidArgument, naming one that is
  // missing or of another size.
  [[nodiscard]] Status restore(std::span<const NamedState> arrays) const;

 private:
  CheckpointFile(std::filesystem::path path, MappedFile file)
      : path_(std::move(path)), file_(std::move(file)) {}
  std::filesystem::path path_;
  MappedFile file_;
  CheckpointHead head_;
  std::uint64_t data_offset_ = 0;
};

// The first setting in which the two differ, in the order of `now`; nothing when they are equal.
struct Difference {
  std::string name, then, now;  // "-" where there is none
};
[[nodiscard]] std::optional<Difference> first_difference(std::span<const Setting> then,
                                                         std::span<const Setting> now);

}  // namespace muster::trainer
