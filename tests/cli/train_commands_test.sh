#!/usr/bin/env bash
# From text to a model that is measured and continues a text, by the commands alone; and what they refuse.
#   train_commands_test.sh MUSTER
set -euo pipefail
muster=$1
here=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "$1"; cat "$work/out" "$work/err" 2>/dev/null; exit 1; }

mkdir "$work/pages" && cp "$here"/docs/*.md "$work/pages"
"$muster" data pack "$work/pages" --to "$work/data" --context 64 --held-out 20% >"$work/out" 2>"$work/err"
cat >"$work/train.toml" <<TOML
[data]
packed = "data"
[model]
d_model = 64
layers = 2
heads = 4
kv_heads = 2
d_ff = 128
context = 64
[train]
steps = 150
batch = 4
schedule = "wsd"
learning_rate = 1e-2
TOML
"$muster" train "$work/train.toml" --to "$work/run" --json >"$work/out" 2>"$work/err" || fail "train failed"
held_out() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$work/out" "$1"; }
trained=$(held_out held_out_loss)

# The held-out loss of the run is what eval finds in the exported model, but for the number format.
"$muster" eval "$work/run" "$work/data" --json >"$work/out" 2>"$work/err" || fail "eval failed"
python3 - "$trained" "$(held_out nats_per_token)" <<'PY' || fail "train and eval differ"
import sys
trained, measured = map(float, sys.argv[1:])
assert measured < 4, measured          # learnt something: 5.5 at the start
assert abs(trained - measured) < 0.01, (trained, measured)
PY
"$muster" eval "$work/run/model" "$here/docs/training.md" >"$work/out" 2>"$work/err" || fail "eval of a text failed"
grep -q 'bits) per byte' "$work/out" || fail "no bits per byte"

"$muster" generate "$work/run" "The " --tokens 80 --seed 3 --stats >"$work/out" 2>"$work/err" || fail "generate failed"
grep -q 'tokens/s' "$work/err" || fail "no speed"
cp "$work/out" "$work/first"
"$muster" generate "$work/run" "The " --tokens 80 --seed 3 >"$work/out" 2>"$work/err"
cmp -s "$work/out" "$work/first" || fail "a seed does not repeat"
[ "$(wc -c <"$work/out")" -eq 85 ] || fail "not 4 + 80 bytes and a line end"
"$muster" generate "$work/run" "The " --tokens 80 --top-p 0 >"$work/first" 2>"$work/err"
"$muster" generate "$work/run" "The " --tokens 80 --temperature 0 >"$work/out" 2>"$work/err"
cmp -s "$work/out" "$work/first" || fail "top-p 0 is not greedy"

# Going on from the exported weights begins where they are.
"$muster" train "$work/train.toml" --to "$work/more" --from "$work/run/model" --set train.steps=1 --set train.warmup_steps=0 \
  >"$work/out" 2>"$work/err" || fail "train --from failed"
python3 - "$work/more/losses.csv" <<'PY' || fail "--from did not start from the weights"
import sys
loss = float(open(sys.argv[1]).read().split()[1].split(",")[2])
assert loss < 4, loss
PY

refuses() {
  if "$muster" "${@:2}" >"$work/out" 2>"$work/err"; then fail "accepted: ${*:2}"; fi
  grep -q -- "$1" "$work/err" || fail "does not say '$1'"
}
refuses 'the prompt is empty' generate "$work/run" ""
refuses 'config.json' generate "$work/none" "a"
refuses 'context' train "$work/train.toml" --to "$work/other" --set model.context=60000
refuses 'smaller train.batch' train "$work/train.toml" --to "$work/other" --set train.batch=1000000
[ ! -e "$work/other/losses.csv" ] || fail "began before it refused"
# Of what a card does not take, and of a card that is not there, in a sentence; auto then trains on the CPU.
refuses 'on a card a head is 32, 64 or 128 wide' train "$work/train.toml" --to "$work/other" --device cuda
if ! "$muster" doctor | grep -q '^card 0'; then
  refuses '--device cuda: ' train "$work/train.toml" --to "$work/other" --device cuda --set model.d_model=128
fi
"$muster" train "$work/train.toml" --to "$work/auto" --device auto --set train.steps=2 --set train.warmup_steps=1 --json >"$work/out" 2>"$work/err" ||
  fail "auto failed"
