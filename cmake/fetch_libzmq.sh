#!/usr/bin/env bash
# Builds the libzmq that muster links statically: Debian's original tarball of 4.3.4, hash-checked, with the patches
# of cmake/patches (docs/upstream/libzmq-router.md says why). Nothing of the system changes.
#   cmake/fetch_libzmq.sh [FOLDER]        default: .deps beside this checkout
# With MUSTER_SANITIZE=thread it builds the one that builds under ThreadSanitizer link, beside the other.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
deps=${1:-$root/.deps}
read -r tarball_hash tarball <"$root/cmake/patches/zeromq3.sha256"

# cmake/LibZmq.cmake computes the same name.
key=$(for file in "$root"/cmake/patches/zeromq3.sha256 "$root"/cmake/patches/libzmq-*.patch "$root/cmake/fetch_libzmq.sh"; do
        sha256sum <"$file" | cut -d' ' -f1
      done | sha256sum | cut -c1-16)
sanitize=${MUSTER_SANITIZE:-}
[ -z "$sanitize" ] || [ "$sanitize" = thread ] || { echo "fetch_libzmq: MUSTER_SANITIZE is thread or empty" >&2; exit 2; }
target=$deps/libzmq-$key${sanitize:+-$sanitize}

fail() { echo "fetch_libzmq: $*" >&2; exit 1; }

[ ! -e "$target" ] || exit 0
for tool in apt-get cmake ninja c++ patch tar sha256sum; do
  command -v "$tool" >/dev/null ||
    fail "$tool is missing; run: apt-get install apt cmake ninja-build g++ patch tar coreutils"
done

mkdir -p "$deps"
work=$(mktemp -d "$deps/libzmq-build.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{sources,lists/partial,cache/archives/partial,prefix/include,prefix/lib}

# The machine's own package sources, as sources of source packages, with lists of our own.
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
  [ -r "$file" ] || continue
  case $file in
    *.list) sed -n 's/^[[:space:]]*deb[[:space:]]/deb-src /p' "$file" ;;
    *) sed 's/^Types:.*/Types: deb-src/' "$file" ;;
  esac >"$work/sources/$(basename "$file")"
done
cat >"$work/apt.conf" <<CONF
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$work/sources";
Dir::State::lists "$work/lists";
Dir::Cache "$work/cache";
APT::Sandbox::User "root";
CONF
export APT_CONFIG=$work/apt.conf
echo "fetch_libzmq: $tarball"
(cd "$work" && apt-get -qq update && apt-get -qq source --download-only --tar-only zeromq3) >"$work/apt.log" 2>&1 || true
if [ ! -e "$work/$tarball" ]; then
  tail -5 "$work/apt.log" >&2
  fail "the package sources of this machine have no $tarball of zeromq3; is the network up, is this Debian 12?"
fi
found=$(sha256sum "$work/$tarball" | cut -d' ' -f1)
[ "$found" = "$tarball_hash" ] || fail "$tarball has SHA-256 $found, expected $tarball_hash; not unpacked"

mkdir "$work/source"
tar -xzf "$work/$tarball" -C "$work/source" --strip-components=1
for file in "$root"/cmake/patches/libzmq-*.patch; do
  patch -d "$work/source" -p1 --quiet <"$file" || fail "$(basename "$file") does not apply to $tarball"
done

launcher=()
if command -v ccache >/dev/null; then launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi
cmake -S "$work/source" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
  -DCMAKE_CXX_FLAGS="-w -O2${sanitize:+ -fsanitize=$sanitize -g1}" -DCMAKE_POSITION_INDEPENDENT_CODE=ON "${launcher[@]}" \
  -DBUILD_SHARED=OFF -DBUILD_STATIC=ON -DBUILD_TESTS=OFF -DWITH_PERF_TOOL=OFF -DWITH_DOCS=OFF -DWITH_DOC=OFF \
  -DENABLE_CPACK=OFF -DENABLE_CURVE=ON -DWITH_LIBSODIUM=ON -DENABLE_DRAFTS=OFF -DENABLE_WS=OFF -DWITH_TLS=OFF \
  -DWITH_LIBBSD=OFF -DENABLE_PRECOMPILED=OFF >"$work/build.log" 2>&1 &&
  cmake --build "$work/build" >>"$work/build.log" 2>&1 || { tail -20 "$work/build.log" >&2; fail "building failed"; }

cp "$work/source/include/zmq.h" "$work/prefix/include/"
cp "$work/build/lib/libzmq.a" "$work/prefix/lib/"
cp "$work/source/COPYING.LESSER" "$work/prefix/"
# Two at once: the second one finds the folder and its own is removed.
mv -T "$work/prefix" "$target" 2>/dev/null || [ -e "$target/lib/libzmq.a" ] || fail "could not write $target"
echo "fetch_libzmq: libzmq 4.3.4 with our patches is in $target"
