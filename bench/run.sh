#!/usr/bin/env bash
# Sets up as far as needed, builds, and runs the benchmarks.
#   bench/run.sh [NAME…] [--json FILE]        NAME: compression, wire; default: all
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
names=() json=
while [ $# -gt 0 ]; do
  case $1 in
    --json) json=${2:?--json needs a file}; shift ;;
    -h|--help) sed -n '2,3s/^# //p' "$0"; exit 0 ;;
    *) names+=("$1") ;;
  esac
  shift
done
[ ${#names[@]} -gt 0 ] || names=(compression wire)
for name in "${names[@]}"; do
  [ -e "$root/bench/${name}_bench.cc" ] || { echo "bench: no benchmark '$name'" >&2; exit 2; }
done
"$root/cmake/setup_debian.sh"
results=()
for name in "${names[@]}"; do
  arguments=()
  if [ -n "$json" ]; then
    part=$(mktemp); results+=("$part")
    arguments=(--benchmark_out="$part" --benchmark_out_format=json)
  fi
  "$root/build/bench/bench_$name" "${arguments[@]}"
done
if [ -n "$json" ]; then
  python3 - "$json" "${results[@]}" <<'PY'
import json, sys
parts = [json.load(open(path)) for path in sys.argv[2:]]
json.dump({"context": parts[0]["context"], "benchmarks": [b for p in parts for b in p["benchmarks"]]},
          open(sys.argv[1], "w"), indent=1)
PY
  rm -f "${results[@]}"
fi
