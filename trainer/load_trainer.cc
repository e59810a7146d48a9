#include "base/shared_library.h"
#include "trainer/trainer.h"

namespace muster::trainer {

Result<std::shared_ptr<const Trainer>> load_trainer(const std::filesystem::path& folder) {
  return make_from<Trainer>({.file = "libmuster_trainer.so",
                             .what = "the trainer",
                             .factory = "muster_make_trainer",
                             .mend = ": muster was built without LibTorch; run cmake/fetch_libtorch.sh "
                                     "and build again"},
                            folder, kTrainerAbi);
}

}  // namespace muster::trainer
