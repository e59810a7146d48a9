#!/usr/bin/env bash
# A network whose miners are two processes each. One of them is killed as by kill -9: its miner says so in one line, starts
# its ranks anew and is back in the rounds; the run ends as if it were one process, and leaves none behind.
#   rank_killed_test.sh MUSTER PORT
set -euo pipefail
source "$(dirname "$0")/small_network.sh"
"${localnet[@]}" --set localnet.ranks=2 --set run.rounds=16 --set train.inner_steps=4 --set train.batch=3 \
  --set timing.gather_ms=15000 --set timing.train_ms=30000 >"$run/out" 2>&1 &
network=$!
miner=$net/nodes/miner-1
log=$miner/node.log
first=$(await_line $network "$log" 'processes [0-9]+, [0-9]+') || fail "the ranks did not start"
victim=${first##*, }
await_line $network "$miner/events.jsonl" '"trained"' >/dev/null || fail "nothing was trained"
kill -9 "$victim"
await_line $network "$log" "rank 1 of 2 \(process $victim\) was killed by signal 9" >/dev/null ||
  fail "the miner did not notice that rank 1 is gone"
code=0
wait $network || code=$?
# 3: too little training for the checks of loss and weight, which are not what is tested here.
[ $code -eq 0 ] || [ $code -eq 3 ] || fail "the network ended with code $code"
[ "$(grep -c 'ranks are ready' "$log")" -eq 2 ] || fail "the ranks were not started twice"
python3 - "$net/report.json" <<'PY'
import json, sys
report = json.load(open(sys.argv[1]))
assert report["state_roots_agree"] and report["audit_ok"], report["failures"]
accepted = {miner["name"]: miner["rounds_accepted"] for miner in report["miners"]}
assert accepted["miner-2"] == 16 and accepted["miner-1"] >= 14, accepted
PY
for pid in $(grep -oE 'processes [0-9, ]+' "$log" | grep -oE '[0-9]+'); do
  ! kill -0 "$pid" 2>/dev/null || fail "process $pid was left behind"
done
