#!/usr/bin/env bash
# A training that is killed as by kill -9, again and again, must end with the same bytes as one that was not: after a
# step, while a checkpoint is being written, and at random moments. Once its newest checkpoint is damaged as well.
#   train_resume_test.sh MUSTER [SEED]
set -euo pipefail
muster=$1 RANDOM=${2:-$$}
echo "seed ${2:-$$}"
here=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/pages" && cp "$here"/docs/*.md "$work/pages"
"$muster" data pack "$work/pages" --to "$work/data" --context 32 --held-out 20% >/dev/null 2>&1
cat >"$work/train.toml" <<TOML
[data]
train = "data"
[model]
d_model = 32
layers = 1
heads = 2
kv_heads = 1
d_ff = 64
context = 32
[train]
steps = 1000
batch = 2
accumulate = 2
optimizer = "${OPTIMIZER:-adamw}"
threads = 1
evaluate_every = 90
held_out_sequences = 8
checkpoint_every = 10
keep = 3
TOML

train() { "$muster" train "$work/train.toml" --to "$work/$1" "${@:2}" 2>&1; }

train whole >/dev/null
runs=0
# Ends when a run gets to its end.
attempt() {
  runs=$((runs + 1))
  train cut --resume "$@" >"$work/out" && return 0
  return 1
}
! attempt --failpoint train.step@57
! attempt --failpoint train.step@1
! attempt --failpoint train.checkpoint@3
newest=$(ls "$work/cut/checkpoints/"step-*.muster | tail -n 1)
printf 'damage' | dd of="$newest" bs=1 seek=2000 conv=notrunc status=none
! attempt --failpoint train.checkpoint@2
grep -q 'damaged' "$work/out" || { echo "no word of the damaged checkpoint"; cat "$work/out"; exit 1; }
for _ in $(seq 12); do
  ms=$((120 + RANDOM % 400))
  runs=$((runs + 1))
  timeout --foreground -s KILL "0.$(printf %03d $ms)" "$muster" train "$work/train.toml" --to "$work/cut" --resume \
    >/dev/null 2>&1 || true
done
runs=$((runs + 1))
train cut --resume >"$work/out" || { cat "$work/out"; exit 1; }
for file in losses.csv held_out.csv model/model.safetensors; do
  cmp "$work/whole/$file" "$work/cut/$file" || { echo "$file differs after $runs runs"; exit 1; }
done
train two --set train.threads=2 --set train.recompute=true >/dev/null
cmp "$work/whole/losses.csv" "$work/two/losses.csv" || { echo "losses depend on threads or recomputation"; exit 1; }
code=0
timeout --foreground --preserve-status -s INT 1 "$muster" train "$work/train.toml" --to "$work/stopped" \
  --set train.steps=10000000 --set train.checkpoint_every=0 >"$work/out" 2>&1 || code=$?
[ $code -eq 130 ] && ls "$work/stopped/checkpoints/"step-*.muster >/dev/null && grep -q 'go on with' "$work/out" ||
  { echo "Ctrl-C: exit code $code"; cat "$work/out"; exit 1; }
if train whole >"$work/out"; then echo "trained over a finished training"; exit 1; fi
grep -q -- '--resume' "$work/out"
if train cut --resume --set model.layers=2 >"$work/out"; then echo "took a checkpoint of another model"; exit 1; fi
grep -q 'model.layers = 1, now it is 2' "$work/out" || { cat "$work/out"; exit 1; }
echo "equal bytes after $runs runs"
