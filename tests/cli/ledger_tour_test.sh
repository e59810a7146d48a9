#!/usr/bin/env bash
# The ledger's tour does what it shows: the miner is paid, a second subnet stands, and what was killed replays.
set -euo pipefail
muster=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
PATH="$(dirname "$muster"):$PATH" PORT=28900 "$root/examples/ledger_tour.sh" "$folder/tour" >"$folder/output" 2>&1 ||
  { cat "$folder/output"; exit 1; }
cat "$folder/output"
for expected in 'set_weights in block' 'remove_stake in block' 'start_call in block' '  1.0000 ' \
                'every one gives the state that it says'; do
  grep -qF "$expected" "$folder/output" || { echo "not in the output: $expected" >&2; exit 1; }
done
