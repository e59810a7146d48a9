#!/usr/bin/env bash
# Packs text with the program, checks it, damages it, and interrupts a packing.
#   data_pack_test.sh MUSTER
set -euo pipefail
muster=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
fail() { echo "data_pack_test: $*" >&2; exit 1; }

for i in $(seq 1 400); do printf '{"text": "document %d of the corpus\\n", "id": %d}\n' "$i" "$i"; done >docs.jsonl
"$muster" data pack docs.jsonl --to packed --context 31 --shard-tokens 2000 --held-out 10% --json >pack.json
grep -q '"documents":400' pack.json || fail "not 400 documents: $(cat pack.json)"
"$muster" data check packed | grep -q '^train .* in 5 shards' || fail "data check does not show five shards"

# The same from standard input, and again: equal bytes.
"$muster" data pack - --format jsonl --to again --context 31 --shard-tokens 2000 --held-out 0.1 <docs.jsonl >/dev/null
diff -r packed again || fail "equal documents gave other bytes"

printf 'x' | dd of=packed/train-00003.bin bs=1 seek=1500 conv=notrunc status=none
code=0
"$muster" data check packed >/dev/null 2>error.txt || code=$?
[ "$code" -eq 1 ] && grep -q 'train-00003.bin: root' error.txt || fail "a damaged shard: code $code, $(cat error.txt)"

# Interrupted while it waits for more: nothing stays.
mkfifo pipe
"$muster" data pack - --to interrupted --context 31 --shard-tokens 2000 <pipe 2>error.txt &
packing=$!
exec 3>pipe
until [ -e interrupted ]; do kill -0 "$packing" || fail "it ended by itself: $(cat error.txt)"; done
kill -INT "$packing"
code=0
wait "$packing" || code=$?
exec 3>&-
[ "$code" -eq 130 ] || fail "exit code $code after Ctrl-C"
[ ! -e interrupted ] || fail "Ctrl-C left $(ls interrupted)"
