#!/usr/bin/env bash
# Sets up as far as needed, builds, and runs the benchmarks.
#   bench/run.sh [NAME…] [--json FILE] [-- OPTIONS]   NAME: compression, compression_large, wire, chain, runtime,
#                                                        economy, cuda, trainer, ranks, verify, convergence; default: compression, wire, chain, economy, cuda
# OPTIONS go to the one benchmark that is named; with several, FILE holds one object by name.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
names=() json= options=()
while [ $# -gt 0 ]; do
  case $1 in
    --json) json=${2:?--json needs a file}; shift ;;
    -h|--help) sed -n '2,5s/^# //p' "$0"; exit 0 ;;
    --) shift; options=("$@"); break ;;
    *) names+=("$1") ;;
  esac
  shift
done
[ ${#names[@]} -gt 0 ] || names=(compression wire chain economy cuda)
for name in "${names[@]}"; do
  [ -e "$root/bench/${name}_bench.cc" ] || { echo "bench: no benchmark '$name'" >&2; exit 2; }
done
"$root/cmake/setup_debian.sh"
parts=()
for name in "${names[@]}"; do
  arguments=("${options[@]}")
  if [ -n "$json" ]; then
    part=$(mktemp)
    parts+=("$name=$part")
    case $name in
      wire) arguments+=(--benchmark_out="$part" --benchmark_out_format=json) ;;
      *) arguments+=(--json "$part") ;;
    esac
  fi
  "$root/build/bench/bench_$name" "${arguments[@]}"
done
if [ -n "$json" ]; then
  python3 - "$json" "${parts[@]}" <<'PY'
import json, os, sys
parts = dict(part.split("=", 1) for part in sys.argv[2:])
results = {name: json.load(open(path)) for name, path in parts.items()}
json.dump(results if len(results) > 1 else next(iter(results.values())), open(sys.argv[1], "w"), indent=1)
for path in parts.values():
    os.remove(path)
PY
fi
