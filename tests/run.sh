#!/usr/bin/env bash
# Sets up a Debian 12 machine as far as needed, builds, and runs every test.
#   tests/run.sh [ctest options]        e.g. tests/run.sh -L unit, tests/run.sh -R Payload
#   tests/run.sh --vectors FOLDER       runs the economy's vectors of FOLDER (see tests/vectors/README.md)
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
if [ "${1:-}" = --vectors ]; then
  [ $# -eq 2 ] || { echo "usage: tests/run.sh --vectors FOLDER" >&2; exit 2; }
  folder=$(realpath -e -- "$2") || exit 2
  MUSTER_TARGETS=chain_vectors "$root/cmake/setup_debian.sh" >&2
  exec "$root/build/tests/chain/chain_vectors" "$folder"
fi
"$root/cmake/setup_debian.sh"
cd "$root/build"
exec ctest --output-on-failure -j "$(nproc)" "$@"
