#!/usr/bin/env bash
# The quickstart's network over several seeds: no cheater is paid, and honest miners are paid alike.
#   [WITHIN=0.1] seeds_test.sh MUSTER PORT SEEDS [FILE] [-- options of muster localnet]
# WITHIN: by how much of the mean an honest miner's pay may differ from it.
# FILE keeps a line for each seed: seed, final loss, lowest and highest pay of an honest miner over the mean of all, pay of
# all cheaters over that. Seeds that it has are not run again, so a long series goes on where it was stopped:
#   tests/cli/seeds_test.sh build/bin/muster 27900 20 docs/quickstart_seeds.csv -- --set run.rounds=60
set -euo pipefail
muster=$1 port=$2 seeds=$3
shift 3
run=$(mktemp -d)
trap 'rm -rf "$run"' EXIT
file=$run/seeds.csv
if [ $# -gt 0 ] && [ "$1" != -- ]; then file=$1; shift; fi
[ "${1:-}" != -- ] || shift
here=$(cd "$(dirname "$0")/../.." && pwd)
[ -s "$file" ] || echo "seed,loss,lowest_pay,highest_pay,cheaters_pay" >"$file"
for seed in $(seq 1 "$seeds"); do
  if grep -q "^$seed," "$file"; then continue; fi
  # Exit code 0: no cheater holds weight, every honest miner does, all roots agree, the audit holds.
  "$muster" localnet "$here/examples/quickstart.toml" --run "$run/net" --fresh --seed "$seed" --set localnet.port="$port" \
    "$@" >"$run/out" 2>&1 || { cat "$run/out"; exit 1; }
  python3 - "$run/net/report.json" "$seed" >>"$file" <<'PY'
import json, sys
report = json.load(open(sys.argv[1]))
pay = {honest: [m["earned"] for m in report["miners"] if (m["behaviour"] == "honest") == honest] for honest in (True, False)}
mean = sum(pay[True]) / len(pay[True])
print(f'{sys.argv[2]},{report["loss_last"]:.4f},{min(pay[True]) / mean:.3f},{max(pay[True]) / mean:.3f},{sum(pay[False]) / mean:.3f}')
PY
  tail -n 1 "$file"
done
python3 - "$file" "$seeds" "${WITHIN:-0.1}" <<'PY'
import csv, sys
rows = [row for row in csv.DictReader(open(sys.argv[1])) if int(row["seed"]) <= int(sys.argv[2])]
within = float(sys.argv[3])
is_alike = lambda row: float(row["lowest_pay"]) >= 1 - within and float(row["highest_pay"]) <= 1 + within
wrong = [row for row in rows if not is_alike(row) or float(row["cheaters_pay"]) > 0]
for row in wrong:
    print("seed {seed}: honest miners earn {lowest_pay} to {highest_pay} of their mean, cheaters {cheaters_pay}".format(**row))
sys.exit(1 if wrong else 0)
PY
