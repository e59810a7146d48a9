#!/usr/bin/env bash
# From a fresh Debian 12 to a trained model: sets up, builds, and runs a network of miners, two of which cheat.
#   examples/quickstart.sh [--seed N] [--compare] [--run FOLDER] [any option of muster localnet]
# Leaves model, archive, logs and report.json in runs/quickstart. Run it again to resume; --fresh starts over.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
MUSTER_TARGETS=muster "$root/cmake/setup_debian.sh"
cd "$root"
export PATH="$root/build/bin:$PATH"
exec "$root/build/bin/muster" localnet examples/quickstart.toml "$@"
