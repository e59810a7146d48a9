#!/usr/bin/env bash
# With too few file descriptors every role says so in one sentence and exits with 1.
#   few_descriptors_test.sh MUSTER
set -euo pipefail
muster=$1
run=$(mktemp -d)
trap 'rm -rf "$run"' EXIT
for descriptors in 8 12 16 20 24 32 40; do
  for role in "ledger serve" coordinator miner validator status; do
    code=0
    # shellcheck disable=SC2086
    (ulimit -n "$descriptors" && exec "$muster" $role --run "$run/x") >"$run/out" 2>&1 || code=$?
    if [ $code -ne 1 ] || [ "$(wc -l <"$run/out")" -ne 1 ] || ! grep -q '^muster: only [0-9]* file descriptors are free' "$run/out"; then
      echo "muster $role with $descriptors descriptors: exit code $code"; cat "$run/out"; exit 1
    fi
  done
done
