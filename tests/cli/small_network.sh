# What the tests of a small network have in common: two miners and two validators in $net, which can be stopped and go on,
# and coordinators that are rebuilt. To be sourced, with the arguments MUSTER PORT; a test adds to `localnet`.
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
# await_line PID FILE PATTERN: prints the pattern's first match, once the file has one. It looks again and again, since
# `tail -F` can miss a file whose folder is made after its start. Fails if the process ends without such a line.
await_line() {
  local is_running=1
  until grep -m1 -oE "$3" "$2" 2>/dev/null; do
    [ $is_running -eq 1 ] || return 1
    kill -0 "$1" 2>/dev/null || is_running=0  # the last lines may have come since the look
    sleep 0.05
  done
}
wait_for() {  # wait_for PID ROUND: until the validator has applied it
  await_line "$1" "$net/nodes/validator-1/events.jsonl" "\"applied\".*\"round\":[ ]*$2\b" >/dev/null ||
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
  await_line "$pid" "$1/nodes/coordinator/node.log" "rebuilt from" >/dev/null ||
    { cat "$run/rebuild.out"; fail "not rebuilt from $2"; }
  stop "$pid"
}
