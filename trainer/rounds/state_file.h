// StateFile: what a miner needs to go on training after a restart, in one file that is the same
// whatever number of processes wrote it. Each writes its own parts into the mapped file, which then
// takes the last one's place.
//
// File: "MUSTERTR", u32 version, layout hash, u64 tag, u64 optimizer steps, u8 pending, u64
// entries, u32 arrays of the optimizer (each u32 length and name, u64 floats), zeros to a multiple
// of 64 bytes; entries: u64 indices, then fp32 e + Δ there; θ; the optimizer's arrays; error
// feedback; when pending e + Δ − decoded; SHA-256 of all before it. Thread safety: one thread at a
// time; several processes may write parts of their own.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "base/file.h"
#include "compression/layout.h"
#include "trainer/optim/optimizer.h"

namespace muster::trainer {

struct StateHead {
  std::uint64_t tag = 0;  // the caller's
  std::uint64_t optimizer_steps = 0;
  bool pending = false;              // a payload was made and not settled
  std::uint64_t entries = 0;         // of the pending payload
  std::vector<NamedSize> optimizer;  // its arrays
  bool operator==(const StateHead&) const = default;
};

class StateFile {
 public:
  // Zeros under a head, at a temporary path; commit() puts it in `path`'s place. Errors: kNoSpace,
  // kIo.
  [[nodiscard]] static Result<StateFile> create(const std::filesystem::path& path,
                                                const compression::Layout& layout,
                                                const StateHead& head);
  // One that another process has created, before it commits. Errors: those of open() but kBadHash.
  [[nodiscard]] static Result<StateFile> join(const std::filesystem::path& path,
                                              const compression::Layout& layout);
  // Errors: kNotFound, kVersion, kBadHash (damaged), kInvalidArgument (another model), kMalformed,
  // kTruncated; all name the file.
  [[nodiscard]] static Result<StateFile> open(const std::filesystem::path& path,
                                              const compression::Layout& layout);

  [[nodiscard]] const StateHead& head() const { return head_; }
  // What open() was given, or where create() puts it.
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  // Parts of the mapped file. `array`: below head().optimizer.size().
  [[nodiscard]] std::span<const std::uint64_t> indices() const {
    return read<std::uint64_t>(indices_);
  }
  [[nodiscard]] std::span<const float> originals() const { return read<float>(originals_); }
  [[nodiscard]] std::span<const float> theta() const { return read<float>(theta_); }
  [[nodiscard]] std::span<const float> optimizer(std::size_t array) const {
    return read<float>(optimizer_[array]);
  }
  [[nodiscard]] std::span<const float> residual() const { return read<float>(residual_); }
  [[nodiscard]] std::span<const float> delta() const {
    return read<float>(delta_);
  }  // empty unless pending
  // The same, to be written. REQUIRES: of create() or join(), not committed.
  [[nodiscard]] std::span<std::uint64_t> indices() { return write<std::uint64_t>(indices_); }
  [[nodiscard]] std::span<float> originals() { return write<float>(originals_); }
  [[nodiscard]] std::span<float> theta() { return write<float>(theta_); }
  [[nodiscard]] std::span<float> optimizer(std::size_t array) {
    return write<float>(optimizer_[array]);
  }
  [[nodiscard]] std::span<float> residual() { return write<float>(residual_); }
  [[nodiscard]] std::span<float> delta() { return write<float>(delta_); }

  // Checksum, fsync, rename: durable as a whole when it returns. Errors: kNoSpace, kIo.
  [[nodiscard]] Status commit();

 private:
  StateFile(MappedFile file, std::filesystem::path path, StateHead head)
      : file_(std::move(file)), path_(std::move(path)), head_(std::move(head)) {}
  static Result<StateFile> parse(MappedFile file, const std::filesystem::path& named,
                                 const std::filesystem::path& path,
                                 const compression::Layout& layout, bool is_checked);
  // Where everything lies behind a head of so many bytes; returns the file's size.
  std::uint64_t place(std::uint64_t head_bytes, std::uint64_t parameters);

  template <class T>
  [[nodiscard]] std::span<const T> read(const Range& bytes) const {
    return {reinterpret_cast<const T*>(file_.bytes().data() + bytes.begin),
            bytes.size() / sizeof(T)};
  }
  template <class T>
  [[nodiscard]] std::span<T> write(const Range& bytes) {
    return {reinterpret_cast<T*>(file_.writable().data() + bytes.begin), bytes.size() / sizeof(T)};
  }

  MappedFile file_;
  std::filesystem::path path_;
  StateHead head_;
  Range indices_, originals_, theta_, residual_, delta_;  // of bytes
  std::vector<Range> optimizer_;
};

}  // namespace muster::trainer
