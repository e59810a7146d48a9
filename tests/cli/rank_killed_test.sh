#!/usr/bin/env bash
# A network whose miners are two processes each. One of them is killed as by kill -9: its miner says so in one line, starts
# its ranks anew and is back in the rounds; the run ends as if it were one process, and leaves none behind.
#   rank_killed_test.sh MUSTER PORT
set -euo pipefail
muster=$1 port=$2
here=$(cd "$(dirname "$0")/../.." && pwd)
run=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$run"' EXIT
trap 'tail -n 20 "$run/out" "$run"/net/nodes/miner-1/*.log >&2' ERR
# Waits until a file has a line; prints its first match.
line_of() { grep -m1 -oE "$2" < <(tail --pid="$localnet" -n +1 -F "$1" 2>/dev/null); }
"$muster" localnet "$here/examples/quickstart.toml" --run "$run/net" \
  --set localnet.port="$port" --set localnet.miners=2 --set 'localnet.cheaters=[]' --set localnet.ranks=2 \
  --set run.rounds=16 --set train.inner_steps=4 --set train.batch=3 --set model.layers=1 \
  --set verify.screen_sequences=8 --set verify.own_sequences=4 --set verify.shared_sequences=8 \
  --set timing.gather_ms=15000 --set timing.train_ms=30000 --set timing.grace_max_ms=8000 --set ledger.block_ms=50 >"$run/out" 2>&1 &
localnet=$!
log=$run/net/nodes/miner-1/node.log
first=$(line_of "$log" 'processes [0-9]+, [0-9]+')
victim=${first##*, }
line_of "$run/net/nodes/miner-1/events.jsonl" '"trained"' >/dev/null
kill -9 "$victim"
line_of "$log" "rank 1 of 2 \(process $victim\) was killed by signal 9" >/dev/null
code=0
wait $localnet || code=$?
# 3: too little training for the checks of loss and weight, which are not what is tested here.
[ $code -eq 0 ] || [ $code -eq 3 ] || { cat "$run/out" "$log"; exit 1; }
[ "$(grep -c 'ranks are ready' "$log")" -eq 2 ] || { echo "the ranks were not started twice"; cat "$log"; exit 1; }
python3 - "$run/net/report.json" <<'PY'
import json, sys
report = json.load(open(sys.argv[1]))
assert report["state_roots_agree"] and report["audit_ok"], report["failures"]
accepted = {miner["name"]: miner["rounds_accepted"] for miner in report["miners"]}
assert accepted["miner-2"] == 16 and accepted["miner-1"] >= 14, accepted
PY
for pid in $(grep -oE 'processes [0-9, ]+' "$log" | grep -oE '[0-9]+'); do
  ! kill -0 "$pid" 2>/dev/null || { echo "process $pid was left behind"; exit 1; }
done
