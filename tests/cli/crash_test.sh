#!/usr/bin/env bash
# A small network of real processes in which nodes die as by kill -9 at the given failpoints and are started
# again. Afterwards every round must be sealed, all state roots agree, the audit hold, and nobody stand in evidence.
#   crash_test.sh MUSTER PORT FAILPOINT...      e.g. coordinator.persist.after@7, or miner-3=miner.adopt.after
# SETTINGS: more of "section.key=value"; EXPECT: more of "node:text that its log must hold"
set -euo pipefail
muster=$1 port=$2
shift 2
here=$(cd "$(dirname "$0")/../.." && pwd)
run=${KEEP:-$(mktemp -d)}
[ -n "${KEEP:-}" ] || trap 'rm -rf "$run"' EXIT
args=()
miner=0
for setting in ${SETTINGS:-}; do args+=(--set "$setting"); done
for point in "$@"; do
  if [[ $point == *=* ]]; then args+=(--failpoint "$point"); continue; fi
  case ${point%%.*} in
    miner) miner=$((miner + 1)); node=miner-$miner ;;
    validator) node=validator-1 ;;
    *) node=${point%%.*} ;;
  esac
  args+=(--failpoint "$node=$point")
done
code=0
"$muster" localnet "$here/examples/quickstart.toml" --run "$run" \
  --set localnet.port="$port" --set localnet.miners=2 --set 'localnet.cheaters=[]' \
  --set run.rounds=4 --set train.inner_steps=2 --set train.batch=2 --set model.layers=1 \
  --set verify.screen_sequences=8 --set verify.own_sequences=4 --set verify.shared_sequences=8 \
  --set timing.gather_ms=15000 --set timing.grace_max_ms=8000 --set ledger.block_ms=50 \
  "${args[@]+"${args[@]}"}" >"$run/out" 2>&1 || code=$?
# 3: too little training for the checks of loss and weight, which are not what is tested here.
if [ $code -ne 0 ] && [ $code -ne 3 ]; then
  cat "$run/out"; tail -n 5 "$run"/nodes/*/node.log; exit 1
fi
died=$(grep -c 'died at its failpoint' "$run/out" || true)
if [ "$died" -ne $# ]; then
  echo "only $died of $# failpoints were reached"; cat "$run/out"; exit 1
fi
python3 - "$run/report.json" <<'PY'
import json, sys
report = json.load(open(sys.argv[1]))
assert report["state_roots_agree"] and report["audit_ok"], report["failures"]
bad = [f for f in report["failures"] if "held-out loss" not in f and "weight" not in f]
assert not bad, bad
PY
"$muster" audit "$run" >/dev/null
# The same from one file, by who has nothing else but the data; and what a miner may ask.
"$muster" audit export "$run" "$run/run.bundle" >/dev/null
"$muster" audit "$run/run.bundle" --rescore 4 --data "$run/data" >"$run/audit.out" || { cat "$run/audit.out"; exit 1; }
"$muster" audit export "$run" "$run/light.bundle" --without-payloads >/dev/null
"$muster" audit "$run/light.bundle" >"$run/audit.out" || { cat "$run/audit.out"; exit 1; }
"$muster" explain miner-1 --run "$run" --json | python3 -c 'import json, sys; assert json.load(sys.stdin)["text"]'
IFS=';'
for expected in ${EXPECT:-}; do
  if ! grep -q "${expected#*:}" "$run/nodes/${expected%%:*}/node.log"; then
    echo "${expected%%:*} did not say '${expected#*:}'"; cat "$run"/nodes/"${expected%%:*}"/node.log; exit 1
  fi
done
