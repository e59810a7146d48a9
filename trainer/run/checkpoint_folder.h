// CheckpointFolder: a training's checkpoints, "step-000000001200.muster", the newest few kept.
//
// Thread safety: pure but for the files; one writer at a time.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "trainer/run/checkpoint_file.h"

namespace muster::trainer {

struct OpenedCheckpoint {
  CheckpointFile file;
  std::vector<std::string>
      notes;  // what a person should know: damaged newer ones, changed settings
};

class CheckpointFolder {
 public:
  explicit CheckpointFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  [[nodiscard]] std::filesystem::path path_of(std::uint64_t step) const;
  // Steps of the checkpoints there, ascending. A folder that does not exist has none.
  [[nodiscard]] std::vector<std::uint64_t> steps() const;
  // Writes a checkpoint of head.step, then deletes all but the newest `keep`. Errors: kNoSpace,
  // kIo.
  [[nodiscard]] Status write(const CheckpointHead& head, std::span<const NamedState> arrays,
                             std::uint32_t keep) const;
  // The newest that is whole; damaged ones are passed over and noted. Errors: kNotFound (none
  // there, or none whole: the message has each one's damage); kInvalidArgument (the newest whole
  // one is of another model, data or optimizer: names the first field and both values).
  [[nodiscard]] Result<OpenedCheckpoint> open_newest(std::span<const Setting> binding,
                                                     std::span<const Setting> noted) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace muster::trainer
