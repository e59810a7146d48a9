#!/usr/bin/env bash
# A ledger of your own, from keys to pay: two subnets, an owner, a validator, a miner. Takes half a minute.
#   examples/ledger_tour.sh [FOLDER]     default: runs/ledger-tour; PORT=27650 says where it listens
# Needs build/bin/muster (cmake/setup_debian.sh) on the PATH or in its place.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
export PATH="$PATH:$root/build/bin"
folder=${1:-$root/runs/ledger-tour}
address=tcp://127.0.0.1:${PORT:-27650}
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"

say() { printf '\n$ %s\n' "muster $*"; muster "$@" ${after:-}; }
for name in owner validator miner; do muster ledger wallet new $name.key >$name.address; done

# A genesis: who has TAO, and one subnet that runs already. Every field that may stand in it is in docs/operations.md.
cat >genesis.toml <<TOML
name = "tour"
block_ms = 100                    # a real chain has 12000

[network]
stake_threshold = "1"             # alpha, for setting weights

[[balance]]
account = "$(cat owner.address)"
tao = "5000"
[[balance]]
account = "$(cat validator.address)"
tao = "1000"
[[balance]]
account = "$(cat miner.address)"
tao = "10"

[[subnet]]
netuid = 1
owner = "$(cat owner.address)"
pool_tao = "10000"
pool_alpha = "10000"
tempo = 10                        # blocks per epoch; a real subnet has 360
commit_reveal = false
weights_rate_limit_blocks = 0
TOML

muster ledger serve --genesis genesis.toml --home ledger --ledger "$address" >serve.log &
daemon=$!
disown $daemon                    # so that the shell says nothing of its end
trap 'kill $daemon 2>/dev/null || true' EXIT
after="--ledger $address --ledger-key ledger/key"
ask() { muster ledger "$@" --json $after; }
wait_for_blocks() {  # wait_for_blocks N: until N more have closed
  local until=$(($(ask status --key miner.key | sed -n 's/.*"block": \([0-9]*\).*/\1/p') + $1)) now=0
  while [ "$now" -lt "$until" ]; do
    sleep 0.2
    now=$(ask status --key miner.key | sed -n 's/.*"block": \([0-9]*\).*/\1/p')
  done
}
for _ in $(seq 50); do [ -e ledger/key ] && ask status --key miner.key >/dev/null 2>&1 && break; sleep 0.1; done

say ledger status --key owner.key
say ledger register 1 --key miner.key
say ledger register 1 --key validator.key
say ledger stake add 1 500 --key validator.key
wait_for_blocks 12                # the next epoch gives the validator its permit
say ledger weights set 1 1=65535 --key validator.key
wait_for_blocks 22                # the one after it pays by its weights
say ledger metagraph 1 --key owner.key
say ledger wallet show miner.key --key miner.key
say ledger stake remove 1 1 --key miner.key
say ledger subnet create --key owner.key
say ledger subnet start 2 --key owner.key
say ledger subnets --key owner.key
say ledger halving --key owner.key

kill -9 $daemon                   # at any instant: the last complete block is kept

after="" say ledger replay --genesis genesis.toml --blocks ledger/ledger.sqlite
