# What backup_test.sh and rebuild_test.sh have in common: a network of two miners and two validators in $net that is stopped
# and goes on, and coordinators that are rebuilt. To be sourced, with the arguments MUSTER PORT; a test adds to `localnet`.
muster=$1 port=$2
here=$(cd "$(dirname "$0")/../.." && pwd)
run=${KEEP:-$(mktemp -d)}
mkdir -p "$run"
trap 'kill $(jobs -p) 2>/dev/null || true; wait; [ -n "${KEEP:-}" ] || rm -rf "$run"' EXIT
net=$run/net
fail() { echo "$*"; cat "$run/out"; tail -n 15 "$net"/nodes/*/node.log; exit 1; }
localnet=("$muster" localnet "$here/examples/quickstart.toml" --run "$net" \
    --set localnet.port="$port" --set localnet.miners=2 --set 'localnet.cheaters=[]' \
    --set train.inner_steps=2 --set train.batch=2 --set model.layers=1 \
    --set verify.screen_sequences=8 --set verify.own_sequences=4 --set verify.shared_sequences=8 \
    --set timing.gather_ms=10000 --set timing.grace_max_ms=8000 --set ledger.block_ms=50)
wait_for() {  # wait_for PID ROUND: until the validator has applied it
  grep -m1 -q "\"applied\".*\"round\":[ ]*$2\b" < <(tail --pid="$1" -n +1 -F "$net/nodes/validator-1/events.jsonl" 2>/dev/null) ||
    fail "round $2 was not reached"
}
stop() {  # stop PID
  kill -TERM "$1"
  wait "$1" || true
}
rebuild() {  # rebuild FOLDER SOURCE: the coordinator's folder of the run in FOLDER; it begins to go on, and is stopped
  "$muster" coordinator --run "$1" --ledger "tcp://127.0.0.1:$((port + 90))" --control "tcp://127.0.0.1:$((port + 91))" \
    --blobs "tcp://127.0.0.1:$((port + 92))" --rebuild-from "$2" >"$run/rebuild.out" 2>&1 &
  local pid=$!
  grep -m1 -q "rebuilt from" < <(tail --pid="$pid" -n +1 -F "$1/nodes/coordinator/node.log" 2>/dev/null) ||
    { cat "$run/rebuild.out"; fail "not rebuilt from $2"; }
  stop "$pid"
}
