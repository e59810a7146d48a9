#!/usr/bin/env bash
# What a change must pass besides the tests: the format, and that every header compiles alone.
#   tests/gates.sh [format] [headers]        default: all of them
# Needs a built tree and clang-format 14, Debian 12's. `clang-format -i FILE` writes the format.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"

fail() { echo "gates: $*" >&2; exit 1; }

sources() {
  find . \( -path './build*' -o -path './.*' -o -path ./runs \) -prune -o -type f "$@" -print | sed 's|^\./||' | sort
}

check_format() {
  command -v clang-format >/dev/null || apt-get install -y -qq --no-install-recommends clang-format >/dev/null ||
    fail "clang-format is missing: apt-get install clang-format"
  clang-format --version | grep -q ' version 14\.' || fail "clang-format 14 decides, this is $(clang-format --version)"
  sources \( -name '*.cc' -o -name '*.h' -o -name '*.cu' -o -name '*.cuh' \) | xargs -P "$(nproc)" -n 50 clang-format --dry-run -Werror ||
    fail "the files above are not as clang-format writes them: clang-format -i FILE"
}

# With the folders of the build's own dependencies, and nothing included before it.
check_headers() {
  [ -f build/compile_commands.json ] || fail "build first: cmake/setup_debian.sh"
  local folders
  folders=$(grep -oE -- '-isystem [^ "]+' build/compile_commands.json | sort -u | tr '\n' ' ')
  # Not those of what needs LibTorch, nor the parts of kernels, which their sources include once per instruction set.
  sources -name '*.h' | grep -vE '^(trainer/torch|tests/trainer/torch|tests/trainer/autograd|trainer/kernels/impl)/|_impl\.h$' |
    xargs -P "$(nproc)" -I HEADER sh -c \
      'g++ -std=c++20 -fsyntax-only -Wall -Wextra -Wno-unused-function -I. '"$folders"' -DMUSTER_SOURCE_DIR=\"\" -DMUSTER_BINARY_DIR=\"\" -include HEADER -x c++ /dev/null ||
       { echo "gates: HEADER does not compile alone" >&2; exit 1; }' ||
    fail "the headers above lack an include"
}

[ $# -gt 0 ] || set -- format headers
for gate in "$@"; do
  declare -F "check_$gate" >/dev/null || fail "there is no gate $gate: format or headers"
  echo "gates: $gate"
  "check_$gate"
done
echo "gates: all passed"
