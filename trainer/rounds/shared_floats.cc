#include "trainer/rounds/shared_floats.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>

namespace muster::trainer {

Result<SharedFloats> SharedFloats::make(std::uint64_t count) {
  FileHandle file(::memfd_create("muster-theta", MFD_CLOEXEC));
  if (!file) return system_error("shared memory", "create");
  // Reserved at once: memory that is missing is an error here instead of a SIGBUS at the first
  // touch.
  errno = ::posix_fallocate(file.get(), 0, static_cast<off_t>(count * sizeof(float)));
  if (errno != 0) return system_error("shared memory", "allocate");
  return join(std::move(file), count);
}

Result<SharedFloats> SharedFloats::join(FileHandle file, std::uint64_t count) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return system_error("shared memory", "examine");
  if (static_cast<std::uint64_t>(status.st_size) != count * sizeof(float))
    return Error{Errc::kInvalidArgument, "shared memory of another model"};
  void* data =
      ::mmap(nullptr, count * sizeof(float), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (data == MAP_FAILED) return system_error("shared memory", "map");
  return SharedFloats(std::move(file), {static_cast<float*>(data), count});
}

SharedFloats::SharedFloats(SharedFloats&& other) noexcept
    : file_(std::move(other.file_)), values_(std::exchange(other.values_, {})) {}

SharedFloats::~SharedFloats() {
  if (!values_.empty()) ::munmap(values_.data(), values_.size_bytes());
}

}  // namespace muster::trainer
