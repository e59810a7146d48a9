#!/usr/bin/env bash
# Sets up a Debian 12 machine as far as needed, builds, and runs every test.
#   tests/run.sh [ctest options]        e.g. tests/run.sh -L unit, tests/run.sh -R Payload
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
"$root/cmake/setup_debian.sh"
cd "$root/build"
exec ctest --output-on-failure -j "$(nproc)" "$@"
