#!/usr/bin/env bash
# Six kinds of cheaters as real processes beside four honest miners, on a model small enough for a test.
#   attacks_test.sh MUSTER PORT
set -euo pipefail
muster=$1 port=$2
here=$(cd "$(dirname "$0")/../.." && pwd)
run=$(mktemp -d)
trap 'rm -rf "$run"' EXIT
# Exit code 0: no cheater holds weight, every honest miner does, all roots agree, the audit holds.
"$muster" localnet "$here/examples/quickstart.toml" --run "$run" \
  --cheaters wrong-data --cheaters lazy-25 --cheaters sign-flip --cheaters withholding \
  --set localnet.port="$port" --set localnet.loss_max=3 --set run.rounds=32 --set timing.grace_min_ms=300 \
  --set model.d_model=64 --set model.heads=2 --set model.kv_heads=2 --set model.d_ff=192 --set model.context=64 \
  --set train.inner_steps=12 --set train.learning_rate=4e-3 >"$run/out" 2>&1 || { cat "$run/out"; exit 1; }
python3 - "$run/report.json" <<'PY'
import json, sys
miners = {m["name"]: m for m in json.load(open(sys.argv[1]))["miners"]}
# lazy-25's fresh part is short, so the screen may reject it too; wrong-data's is not.
wrong = miners["wrong-data-1"]
assert wrong["rounds_accepted"] > 20, ("it was screened out, which is another test", wrong)
assert miners["withholding-1"]["rounds_accepted"] <= 17, miners["withholding-1"]
# Draws are secret and differ from run to run. A cheater whose first scores are good by luck holds a weight for an epoch
# before its rating falls, so its pay is held to a hundredth of an honest miner's, not to nothing.
least = min(m["earned"] for m in miners.values() if m["behaviour"] == "honest")
assert least > 0, miners
for name, miner in miners.items():
    assert (miner["weight"] > 0) == (miner["behaviour"] == "honest"), miner
    assert miner["behaviour"] == "honest" or miner["earned"] < least / 100, (miner, least)
PY
