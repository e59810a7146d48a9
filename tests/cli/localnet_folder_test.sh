#!/usr/bin/env bash
# What `muster localnet` refuses in a folder: --fresh over a network that lives, and other settings than the run was begun
# with; that a run without [ledger] ends by itself, with the last round's loss; and that a short one is no failure.
#   localnet_folder_test.sh MUSTER PORT
set -euo pipefail
muster=$1 port=$2
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
first= run=
finish() {
  [ -z "$first" ] || kill -9 "$first" 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT
sed -e "s#\.\./\.deps#$root/.deps#" -e '/^\[ledger\]/,/^\[checkpoint\]/{/^\[checkpoint\]/!d}' "$root/examples/quickstart.toml" \
  >"$folder/config.toml"
if grep -q '^\[ledger\]' "$folder/config.toml"; then echo 'still a [ledger]' >&2; exit 1; fi
network() {  # network OPTIONS…
  $run "$muster" localnet "$folder/config.toml" --run "$folder/run" --set localnet.port="$port" --set localnet.miners=2 \
    --set 'localnet.cheaters=[]' --set localnet.validators=1 --set train.inner_steps=2 --set train.batch=2 \
    --set model.layers=1 --set verify.screen_sequences=8 --set verify.own_sequences=4 --set verify.shared_sequences=8 \
    --set localnet.loss_max=10 "$@"
}
run=exec network --set run.rounds=3 >"$folder/out" 2>&1 &
first=$!
run=
for _ in $(seq 600); do grep -q '^started ledger' "$folder/out" && break; sleep 0.1; done
if network --set run.rounds=3 --fresh >"$folder/fresh" 2>&1; then echo "--fresh over a network that lives" >&2; exit 1; fi
grep -q 'is held by muster localnet, process' "$folder/fresh" || { cat "$folder/fresh"; exit 1; }
[ -e "$folder/run/run.muster" ] && [ -d "$folder/run/nodes/ledger" ]

# Killed alone: its nodes end with it, and the same command goes on.
kill -9 $first
wait $first 2>/dev/null || true
first=
for _ in $(seq 600); do pgrep -f -- "--run $folder/run " >/dev/null || break; sleep 0.1; done
if pgrep -f -- "--run $folder/run " >/dev/null; then echo "its nodes outlive it" >&2; exit 1; fi
if network --set run.rounds=3 --set model.d_ff=256 >"$folder/other" 2>&1; then echo "other settings" >&2; exit 1; fi
grep -q 'model.d_ff is 256 here and was 384 when the run was begun' "$folder/other" || { cat "$folder/other"; exit 1; }
code=0
network --set run.rounds=3 >"$folder/out" 2>&1 || code=$?
[ $code = 0 ] || { echo "exit code $code"; cat "$folder/out"; exit 1; }
grep -q '^ *3/3 ' "$folder/out" || { echo "the last round's line is missing"; cat "$folder/out"; exit 1; }
grep -q 'weights need four evaluations and an epoch' "$folder/out" || { cat "$folder/out"; exit 1; }
grep -q 'all 3 rounds are done' "$folder/out" || { cat "$folder/out"; exit 1; }
