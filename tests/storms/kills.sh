#!/usr/bin/env bash
# A small network of real processes with rounds of a fraction of a second, whose nodes are killed (kill -9) at random
# moments and started again. Afterwards every round must be sealed, every node be at the end of the run, all state roots
# agree and the audit hold: no node is lost, and nothing that was acknowledged.
#   kills.sh MUSTER PORT KILLS [SEED]           e.g. kills.sh build/bin/muster 28900 500 7
set -euo pipefail
muster=$1 port=$2 kills=$3 seed=${4:-1}
here=$(cd "$(dirname "$0")/../.." && pwd)
run=${KEEP:-$(mktemp -d)}
[ -n "${KEEP:-}" ] || trap 'rm -rf "$run"' EXIT
mkdir -p "$run"
RANDOM=$seed
rounds=$((kills * 4 + 20))
"$muster" localnet "$here/examples/quickstart.toml" --run "$run" --restart-killed \
  --set localnet.port="$port" --set localnet.miners=3 --set 'localnet.cheaters=[]' --set run.rounds="$rounds" \
  --set train.inner_steps=1 --set train.batch=2 --set model.layers=1 --set model.d_model=32 --set model.d_ff=64 \
  --set model.context=32 --set verify.screen_sequences=4 --set verify.own_sequences=4 --set verify.shared_sequences=4 \
  --set verify.unscreened_rounds_max=0 --set timing.gather_ms=2000 --set timing.train_ms=4000 --set timing.reveal_ms=2000 \
  --set timing.screen_ms=3000 --set timing.grace_min_ms=50 --set timing.grace_max_ms=500 --set timing.pause_ms=50 \
  --set timing.pause_max_ms=200 --set checkpoint.every=16 --set checkpoint.offer_after=8 --set ledger.block_ms=100 \
  >"$run/out" 2>&1 &
network=$!
nodes=(ledger coordinator coordinator validator-1 validator-2 miner-1 miner-2 miner-3)
until grep -q '^ *[0-9]*/'"$rounds" "$run/out" 2>/dev/null; do
  kill -0 $network 2>/dev/null || { cat "$run/out"; exit 1; }
  sleep 0.1
done
done_kills=0
while [ $done_kills -lt "$kills" ] && kill -0 $network 2>/dev/null; do
  node=${nodes[$((RANDOM % ${#nodes[@]}))]}
  pid=$(pgrep -f -- "--run $run --name $node " | head -1 || true)
  if [ -n "$pid" ] && kill -9 "$pid" 2>/dev/null; then done_kills=$((done_kills + 1)); fi
  sleep 0.$((RANDOM % 5))$((RANDOM % 10))
done
code=0
wait $network || code=$?
if [ $code -ne 0 ] && [ $code -ne 3 ]; then
  cat "$run/out"; tail -n 6 "$run"/nodes/*/output.log; exit 1
fi
[ "$done_kills" -eq "$kills" ] || { echo "only $done_kills of $kills kills before the run ended"; exit 1; }
"$muster" audit "$run" >"$run/audit.out" || { cat "$run/audit.out"; exit 1; }
python3 - "$run" "$rounds" "$done_kills" <<'PY'
import glob, json, sys

def events(path):
    for line in open(path):
        try: yield json.loads(line)
        except ValueError: pass  # a line that a kill tore
run, rounds, kills = sys.argv[1], int(sys.argv[2]), sys.argv[3]
report = json.load(open(run + "/report.json"))
assert report["state_roots_agree"] and report["audit_ok"], report["failures"]
for path in glob.glob(run + "/nodes/*/events.jsonl"):
    if "/ledger/" in path or "/coordinator/" in path: continue
    last = max((e["round"] for e in events(path) if e["event"] == "applied"), default=-1)
    assert last == rounds - 1, f"{path}: its last round is {last} of {rounds}"
sealed = [e for e in events(run + "/nodes/coordinator/events.jsonl") if e["event"] == "sealed"]
times = [e["time_ms"] for e in sealed]
gaps = sorted(b - a for a, b in zip(times, times[1:]))
print(f"{kills} kills, {len(sealed)} rounds, median {gaps[len(gaps) // 2]} ms, longest gap {gaps[-1]} ms, "
      f"null rounds {sum(e['null'] for e in sealed)}")
PY
