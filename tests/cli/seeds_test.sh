#!/usr/bin/env bash
# The quickstart's network over several seeds: no cheater is paid, and each honest miner's mean pay over the seeds is alike.
#   [WITHIN=0.1] seeds_test.sh MUSTER PORT SEEDS [FILE] [-- options of muster localnet]
# WITHIN: by how much of the mean of all an honest miner's mean pay over the seeds may differ from it. Pay follows the wall
# clock, so a loaded machine spreads the pay of one seed.
# FILE keeps a line for each seed: seed, final loss, pay of all cheaters and then of each honest miner, over the mean of the
# honest ones. Seeds that it has are not run again, so a long series goes on where it was stopped:
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
[ -s "$file" ] || echo "seed,loss,cheaters,honest…" >"$file"
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
print(sys.argv[2], f'{report["loss_last"]:.4f}', *(f"{earned / mean:.3f}" for earned in [sum(pay[False]), *pay[True]]), sep=",")
PY
  tail -n 1 "$file"
done
python3 - "$file" "$seeds" "${WITHIN:-0.1}" <<'PY'
import sys
rows = [[float(field) for field in line.split(",")] for line in list(open(sys.argv[1]))[1:]]
rows = [row for row in rows if row[0] <= int(sys.argv[2])]
means = [sum(pay) / len(rows) for pay in list(zip(*rows))[3:]]
print("mean pay of each honest miner over", len(rows), "seeds, of the mean of all:", *(f"{mean:.3f}" for mean in means))
for row in rows:
    if row[2] > 0:
        print(f"seed {row[0]:.0f}: the cheaters earn {row[2]:.3f}")
is_alike = all(abs(mean - 1) <= float(sys.argv[3]) for mean in means)
sys.exit(0 if is_alike and not any(row[2] > 0 for row in rows) else 1)
PY
