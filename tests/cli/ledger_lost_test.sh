#!/usr/bin/env bash
# A ledger that is killed with a call accepted loses it; its client says so, or a durable block holds the call. And a full
# disk stops blocks, not the ledger.
#   ledger_lost_test.sh MUSTER PORT
set -euo pipefail
muster=$1 address=tcp://127.0.0.1:$2
folder=$(mktemp -d)
daemon=
finish() {
  [ -z "$daemon" ] || kill -9 "$daemon" 2>/dev/null || true
  wait  # a process that is going still holds the mount
  umount "$folder/small" 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT
cd "$folder"
for name in rich poor; do "$muster" ledger wallet new $name.key >$name.address; done
cat >genesis.toml <<TOML
name = "lost"
block_ms = 2000
[[balance]]
account = "$(cat rich.address)"
tao = "100"
[[balance]]
account = "$(cat poor.address)"
tao = "1"
TOML

serve() {  # serve HOME
  "$muster" ledger serve --genesis genesis.toml --home "$1" --ledger "$address" >>serve.log 2>&1 &
  daemon=$!
}
home=ledger
ask() { "$muster" ledger "$@" --json --ledger "$address" --ledger-key $home/key; }
await() {  # await COMMAND…: until it succeeds, a minute at most
  for _ in $(seq 300); do "$@" && return 0; sleep 0.2; done
  echo "still not: $*" >&2
  return 1
}
answers() { ask wallet show rich.key --key poor.key >wallet.json 2>/dev/null; }
# The account's nonce has moved: the ledger has accepted a call, in the block that it is building.
accepted() { answers && grep -q '"nonce": 1' wallet.json; }

serve ledger
await answers
"$muster" ledger transfer "$(cat poor.address)" 5 --key rich.key --json --ledger "$address" --ledger-key ledger/key \
  >transfer.json 2>transfer.err &
transfer=$!
await accepted
kill -9 $daemon
wait $daemon 2>/dev/null || true
serve ledger
code=0
wait $transfer || code=$?
if [ $code = 0 ]; then
  block=$(sed -n 's/.*"block": \([0-9]*\).*/\1/p' transfer.json)
  ask block "$block" --key poor.key >block.json
  grep -q "$(sed -n 's/.*"hash": "\([0-9a-f]*\)".*/\1/p' transfer.json)" block.json ||
    { echo "said to be in block $block, which does not hold it:"; cat transfer.json block.json; exit 1; }
  answers && grep -q '"nonce": 1' wallet.json || { echo "counted twice"; cat wallet.json; exit 1; }
else
  [ $code = 1 ] && grep -q 'submit again' transfer.err || { echo "exit code $code"; cat transfer.err; exit 1; }
fi
kill $daemon
wait $daemon || true

# A disk of half a MiB, on which the ledger is put when it has begun.
mkdir small
if ! mount -t tmpfs -o size=512k tmpfs small 2>/dev/null; then
  echo "skipped: the part with a full disk, which needs a mount"
  exit 0
fi
home=small
serve small
await answers
head -c 1M /dev/zero >small/filler 2>/dev/null || true
full() { grep -q 'no calls are taken' serve.log; }
await full || { cat serve.log; exit 1; }
kill -0 $daemon
if ask transfer "$(cat poor.address)" 1 --key rich.key >/dev/null 2>full.err; then echo "taken on a full disk"; exit 1; fi
grep -q "the ledger's disk is full" full.err || { cat full.err; exit 1; }
rm small/filler
roomy() { ask transfer "$(cat poor.address)" 1 --key rich.key >/dev/null 2>&1; }
await roomy
