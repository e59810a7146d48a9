#!/usr/bin/env bash
# Installs the Debian packages that muster builds with, fetches LibTorch and libzmq, configures and builds.
#   cmake/setup_debian.sh [BUILD_FOLDER]        default: build
# As root or with sudo. Says what it installs; does nothing twice.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-$root/build}

packages=(g++ cmake ninja-build ccache pkg-config python3 python3-pip unzip patch
          cppzmq-dev libcereal-dev libssl-dev libsodium-dev libxxhash-dev libsqlite3-dev libzstd-dev
          libcli11-dev libtomlplusplus-dev nlohmann-json3-dev libspdlog-dev libsentencepiece-dev libgloo-dev
          libgtest-dev libgmock-dev librapidcheck-dev libbenchmark-dev)

fail() { echo "setup: $*" >&2; exit 1; }

[ "$(uname -m)" = x86_64 ] || fail "only x86-64 machines are supported so far, this is $(uname -m)"
free_mib=$(df -Pm "$root" | awk 'NR==2 {print $4}')
[ -e "$build/bin/muster" ] || [ "$free_mib" -ge 4000 ] ||
  fail "$root has $free_mib MiB free, 4000 are needed; free some disk space"

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "setup: installing Debian packages: ${missing[*]}"
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "not root and no sudo; install by hand: ${missing[*]}"
    as_root=(sudo)
  fi
  "${as_root[@]}" apt-get update -qq || fail "apt-get update failed; is the network up?"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >/dev/null || fail "apt-get could not install: ${missing[*]}"
fi

"$root/cmake/fetch_libtorch.sh"
"$root/cmake/fetch_libzmq.sh"

# Without -j Ninja takes a thread per core and two more; big translation units need 1.5 GB each.
memory_gib=$(awk '/MemAvailable/ {print int($2 / 1048576)}' /proc/meminfo)
[ "$memory_gib" -ge 3 ] || fail "under 3 GiB of memory are free; close something first"
jobs=$(nproc)
[ "$jobs" -le $((memory_gib / 2 + 1)) ] || jobs=$((memory_gib / 2 + 1))
echo "setup: building in $build with $jobs jobs"
cmake -S "$root" -B "$build" -G Ninja ${MUSTER_CMAKE_ARGS:-} >"$root/.deps/configure.log" 2>&1 ||
  { tail -20 "$root/.deps/configure.log" >&2; fail "configuring failed"; }
cmake --build "$build" -j "$jobs" ${MUSTER_TARGETS:+--target $MUSTER_TARGETS} | tail -1
