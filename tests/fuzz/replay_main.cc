// Runs a fuzz target over its corpus and over seeded mutations of every file: what ctest runs
// everywhere. With clang and -DMUSTER_FUZZ=ON the same targets are libFuzzer programs.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "base/prng.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr int kMutations = 3000;

muster::Bytes mutate(muster::Bytes bytes, muster::Prng& random) {
  for (std::uint64_t edits = 1 + random.below(4); edits > 0; --edits) {
    if (bytes.empty() || random.chance(0.1)) {
      bytes.push_back(static_cast<std::uint8_t>(random.next_u32()));
    } else if (random.chance(0.1)) {
      bytes.resize(random.below(bytes.size()));
    } else {
      bytes[random.below(bytes.size())] = static_cast<std::uint8_t>(random.next_u32());
    }
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]), 2;
  std::vector<muster::Bytes> corpus{{}};
  if (std::filesystem::exists(argv[1])) {
    for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
      std::ifstream file(entry.path(), std::ios::binary);
      corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
  }
  muster::Prng random(20260101);
  std::size_t runs = 0;
  for (const muster::Bytes& seed : corpus) {
    LLVMFuzzerTestOneInput(seed.data(), seed.size());
    for (int i = 0; i < kMutations; ++i, ++runs) {
      const muster::Bytes mutated = mutate(seed, random);
      LLVMFuzzerTestOneInput(mutated.data(), mutated.size());
    }
  }
  std::printf("%zu inputs, seed 20260101\n", runs);
  return 0;
}
