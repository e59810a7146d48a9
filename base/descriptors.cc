#include "base/descriptors.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <vector>

#include "base/file.h"

namespace muster {

std::uint64_t descriptor_limit() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 1024;
}

std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &limit);
  }
  return descriptor_limit();
}

Status need_descriptors(int wanted) {
  std::vector<FileHandle> held;
  for (int i = 0; i < wanted; ++i) {
    FileHandle handle(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!handle) {
      return Error{Errc::kNoDescriptors,
                   "only " + std::to_string(held.size()) + " file descriptors are free and " +
                       std::to_string(wanted) + " are needed; allow more, as with: ulimit -n 4096"};
    }
    held.push_back(std::move(handle));
  }
  return {};
}

}  // namespace muster
