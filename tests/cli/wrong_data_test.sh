#!/usr/bin/env bash
# The quickstart with a third cheater, which trains on other data than its own, over some more rounds.
#   wrong_data_test.sh MUSTER PORT
set -euo pipefail
muster=$1 port=$2
here=$(cd "$(dirname "$0")/../.." && pwd)
run=$(mktemp -d)
trap 'rm -rf "$run"' EXIT
# Exit code 0: the loss fell, no cheater holds weight, every honest miner does, all roots agree, the audit holds.
"$muster" localnet "$here/examples/quickstart.toml" --run "$run" --cheaters wrong-data \
  --set localnet.port="$port" --set run.rounds=28 >"$run/out" 2>&1 || { cat "$run/out"; exit 1; }
python3 - "$run/report.json" <<'PY'
import json, sys
miners = json.load(open(sys.argv[1]))["miners"]
cheater = next(m for m in miners if m["behaviour"] == "wrong-data")
assert cheater["rounds_accepted"] > 20, ("it was screened out, which is another test", cheater)
assert cheater["weight"] == 0, cheater
PY
