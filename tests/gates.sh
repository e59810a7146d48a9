#!/usr/bin/env bash
# What a change must pass besides the tests. Names a gate, or runs all of them:
#   tests/gates.sh [format] [headers] [tidy] [asan] [tsan]
#   format    every file is as clang-format 14 writes it; `clang-format -i FILE` writes it so
#   headers   every header compiles alone
#   tidy      the checks of .clang-tidy over the cores: what all peers agree on, and what decides on pay
#   asan      unit and fuzz tests under AddressSanitizer and UndefinedBehaviorSanitizer, in build-asan
#   tsan      the tests of threads, sockets and services under ThreadSanitizer, in build-tsan. Not those of ranks: Debian's Gloo
#             throws errors across threads, and is not built for ThreadSanitizer to see its locks
# Needs a built tree (cmake/setup_debian.sh), and Debian 12's clang-format and clang-tidy, which it installs.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"

fail() { echo "gates: $*" >&2; exit 1; }

sources() {
  find . \( -path './build*' -o -path './.*' -o -path ./runs \) -prune -o -type f "$@" -print | sed 's|^\./||' | sort
}

# need PROGRAM PACKAGE: version 14 decides, whose warnings and format the tree has.
need() {
  command -v "$1" >/dev/null || apt-get install -y -qq --no-install-recommends "$2" >/dev/null ||
    fail "$1 is missing: apt-get install $2"
  "$1" --version | grep -q 'version 14\.' || fail "$1 14 decides, this is $("$1" --version | grep version)"
}

# The folders of the build's own dependencies.
dependency_folders() {
  [ -f build/compile_commands.json ] || fail "build first: cmake/setup_debian.sh"
  grep -oE -- '-isystem [^ "]+' build/compile_commands.json | sort -u | tr '\n' ' '
}

check_format() {
  need clang-format clang-format
  sources \( -name '*.cc' -o -name '*.h' -o -name '*.cu' -o -name '*.cuh' \) | xargs -P "$(nproc)" -n 50 clang-format --dry-run -Werror ||
    fail "the files above are not as clang-format writes them: clang-format -i FILE"
}

check_headers() {
  local folders
  folders=$(dependency_folders)
  # Not those of what needs LibTorch, nor the parts of kernels, which their sources include once per instruction set.
  sources -name '*.h' | grep -vE '^(trainer/torch|tests/trainer/torch|tests/trainer/autograd|trainer/kernels/impl)/|_impl\.h$' |
    xargs -P "$(nproc)" -I HEADER sh -c \
      'g++ -std=c++20 -fsyntax-only -Wall -Wextra -Wno-unused-function -I. '"$folders"' -DMUSTER_SOURCE_DIR=\"\" -DMUSTER_BINARY_DIR=\"\" -include HEADER -x c++ /dev/null ||
       { echo "gates: HEADER does not compile alone" >&2; exit 1; }' ||
    fail "the headers above lack an include"
}

check_tidy() {
  need clang-tidy clang-tidy
  local folders
  folders=$(dependency_folders)
  # shellcheck disable=SC2086
  # Not two whose uses of <ranges> and std::map clang 14 cannot compile with this libstdc++.
  ls protocol/*.cc state/*.cc coordinator/*.cc miner/*.cc verify/*.cc chain/runtime/*.cc chain/economy/*.cc chain/yuma/*.cc |
    grep -vE '^(protocol/chain_head|verify/miner_story)\.cc$' |
    xargs -P "$(nproc)" -I SOURCE sh -c \
      'clang-tidy --quiet SOURCE -- -std=c++20 -I. '"$folders"' 2>/dev/null || { echo "gates: see SOURCE above" >&2; exit 1; }' ||
    fail "clang-tidy has something to say of the files above"
}

# sanitized PRESET TARGET…: builds these of a preset's folder.
sanitized() {
  local preset=$1 jobs
  shift
  jobs=$(awk -v cores="$(nproc)" '/MemAvailable/ {g = int($2 / 2097152); print g < 1 ? 1 : g < cores ? g : cores}' /proc/meminfo)
  mkdir -p "build-$preset"
  local log=build-$preset/gate.log
  cmake --preset "$preset" >"$log" 2>&1 || { tail -20 "$log" >&2; fail "configuring $preset failed"; }
  cmake --build "build-$preset" -j "$jobs" --target "$@" >"$log" 2>&1 ||
    { grep -E 'error|FAILED' "$log" | head -20 >&2; fail "building $preset failed, see $log"; }
}

check_asan() {
  sanitized asan tests_unit tests_fuzz muster
  # The canary is to fail under any sanitizer, and the tests of style read files only.
  (cd build-asan && ctest --output-on-failure -j "$(nproc)" -L 'unit|fuzz' -E '^fuzz_canary$' --quiet -O tests.log) ||
    { tail -60 build-asan/tests.log >&2; fail "a test fails under AddressSanitizer or UndefinedBehaviorSanitizer, see build-asan/tests.log"; }
}

check_tsan() {
  MUSTER_SANITIZE=thread cmake/fetch_libzmq.sh
  local tests=(base/base_test wire/wire_test hostile/hostile_transport_test store/store_test chain/chain_test)
  sanitized tsan "${tests[@]##*/}"
  # Of the ledger's tests those of its daemon and of who follows it; the rest is arithmetic on one thread.
  printf '%s\n' "${tests[@]}" | xargs -P "$(nproc)" -I TEST sh -c '
    filter="*"
    [ TEST != chain/chain_test ] || filter="*Service*:*Served*:*Follow*:*Remote*"
    cd "build-tsan/tests/$(dirname TEST)" && TSAN_OPTIONS=halt_on_error=1 "./$(basename TEST)" --gtest_brief=1 --gtest_filter="$filter" >"$(basename TEST).log" 2>&1 ||
      { tail -60 "$(basename TEST).log" >&2; exit 1; }' || fail "the tests above fail under ThreadSanitizer"
}

gates=(format headers tidy asan tsan)
[ $# -gt 0 ] || set -- "${gates[@]}"
for gate in "$@"; do
  declare -F "check_$gate" >/dev/null || fail "there is no gate $gate: ${gates[*]}"
  echo "gates: $gate"
  started=$SECONDS
  "check_$gate"
  echo "gates: $gate passed in $((SECONDS - started)) s"
done
