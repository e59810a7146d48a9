// Libraries of ours that are loaded on demand, beside the program: one factory each, which refuses
// another build's ABI.
//
// Thread safety: any thread.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"

namespace muster {

struct SharedLibrary {
  std::string file;     // name of the file in its folder
  std::string what;     // "the trainer", for messages
  std::string factory;  // symbol of `const T* factory(int abi)`; null for another ABI
  std::string mend;     // of its absence: what follows "PATH is missing"
};

struct LoadedFactory {
  std::filesystem::path path;
  void* symbol = nullptr;  // null where the library has none of that name
};
// `folder`: empty for that of this program. Errors: kNotFound, kIo (it does not load).
[[nodiscard]] Result<LoadedFactory> load_factory(const SharedLibrary& library,
                                                 const std::filesystem::path& folder);

// What the factory makes. The library is never closed: what it makes must not outlive its code.
// Errors: those of load_factory; kVersion.
template <class T>
[[nodiscard]] Result<std::shared_ptr<const T>> make_from(const SharedLibrary& library,
                                                         const std::filesystem::path& folder,
                                                         int abi) {
  MUSTER_TRY(const LoadedFactory factory, load_factory(library, folder));
  const auto make = reinterpret_cast<const T* (*)(int)>(factory.symbol);
  const T* made = make == nullptr ? nullptr : make(abi);
  if (made == nullptr)
    return Error{Errc::kVersion, factory.path.string() +
                                     " belongs to another build of muster than this program; "
                                     "build both again"};
  return std::shared_ptr<const T>(made);
}

}  // namespace muster
