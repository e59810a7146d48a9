#!/usr/bin/env bash
# The commands of docs/operations.md, "Several machines", each as it stands there: separate processes in separate folders,
# over loopback. All rounds are done, and the validator, which waited for its permit, stands in rosters.
#   machines_test.sh MUSTER PORT
set -euo pipefail
muster=$1 port=$2
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
pids=()
finish() {
  for pid in "${pids[@]+"${pids[@]}"}"; do kill -- "-$pid" 2>/dev/null || true; done
  wait
  rm -rf "$folder"
}
trap finish EXIT
PATH="$(dirname "$muster"):$PATH"
export LEDGER=tcp://127.0.0.1:$port CONTROL=tcp://127.0.0.1:$((port + 1)) BLOBS=tcp://127.0.0.1:$((port + 2))
export CONFIG=$folder/config.toml
sed -e "s#\.\./\.deps#$root/.deps#" -e 's/^rounds = .*/rounds = 5/' -e 's/^layers = .*/layers = 1/' \
  -e 's/^inner_steps = .*/inner_steps = 2/' -e 's/^batch = .*/batch = 2/' -e 's/^screen_sequences = .*/screen_sequences = 8/' \
  -e 's/^own_sequences = .*/own_sequences = 4/' -e 's/^shared_sequences = .*/shared_sequences = 8/' \
  "$root/examples/quickstart.toml" >"$CONFIG"

# The commands of one block of the page, as they stand.
block() {
  awk -v name="<!-- block: $1 -->" '$0 == name {found = 1; next} found && /^```bash/ {inside = 1; next}
    inside && /^```/ {exit} inside {print}' "$root/docs/operations.md"
}
commands_of() {  # … of one block, which must be there
  local commands
  commands=$(block "$1")
  [ -n "$commands" ] || { echo "no block $1 in docs/operations.md" >&2; return 1; }
  printf '%s\n' "$commands"
}
run() {  # run MACHINE BLOCK: its commands one after the other, in that machine's folder
  mkdir -p "$folder/$1"
  local commands
  commands=$(commands_of "$2")
  (cd "$folder/$1" && bash -euc "$commands")
}
start() {  # … in the background, in a process group of its own
  mkdir -p "$folder/$1"
  local commands
  commands=$(commands_of "$2")
  (cd "$folder/$1" && exec setsid bash -euc "$commands") >"$folder/$1.$2.out" 2>&1 &
  pids+=($!)
}
show() { tail -n 20 "$folder"/*.out "$folder"/*/run/nodes/*/node.log >&2 || true; }

MINER_HOTKEY=$(run miner miner-key) VALIDATOR_HOTKEY=$(run validator validator-key)
export MINER_HOTKEY VALIDATOR_HOTKEY
LEDGER_KEY=$(run first make-run | tail -n 1)
export LEDGER_KEY
for machine in miner validator; do
  cp -r "$folder"/first/run/{run.muster,genesis.muster,data} "$folder/$machine/run/"
done
start first serve
start first coordinate
coordinator=${pids[-1]}
start miner mine
miner=${pids[-1]}
start validator validate
validator=${pids[-1]}
for process in $coordinator $miner $validator; do
  wait "$process" || { echo "process $process failed" >&2; show; exit 1; }
done
grep -q 'registered on subnet 1: uid [0-9]*' "$folder/validator.validate.out" || { show; exit 1; }
grep -q 'to validate it still needs permit' "$folder/validator.validate.out" || { show; exit 1; }
run validator look >"$folder/status"
cat "$folder/status"
grep -Eq ' validator-1 +[0-9.]+ +yes' "$folder/status" || { echo "no validator with a permit" >&2; exit 1; }
muster audit "$folder/first/run" --json >"$folder/audit.json"
python3 - "$folder/audit.json" <<'PY'
import json, sys
audit = json.load(open(sys.argv[1]))
assert audit["ok"] and audit["rounds"] == 5, audit
assert len(audit["validators"]) == 1 and audit["validators"][0]["verdicts"] > 0, audit["validators"]
PY

# Nobody else gets into a node's folder, and data of another run is no data of this one.
if run first serve 2>"$folder/second.out"; then echo "two ledgers in one folder" >&2; exit 1; fi
grep -q 'nodes/ledger/lock is held by ledger, process' "$folder/second.out" || { cat "$folder/second.out"; exit 1; }
printf 'x' | dd of="$folder/miner/run/data/train.bin" bs=1 seek=5000 conv=notrunc status=none
if (cd "$folder/miner" && muster miner --run run --name miner-1 --ledger-key "$LEDGER_KEY") 2>"$folder/other.out"; then
  echo "other data was taken" >&2; exit 1
fi
grep -q "is other data than the run's" "$folder/other.out" || { cat "$folder/other.out"; exit 1; }
