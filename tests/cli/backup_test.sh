#!/usr/bin/env bash
# Backups of every node of a network that lives, one after the other; then nodes are put back from them, and the network
# goes on: all rounds are sealed, state roots agree, nobody stands in evidence.
#   backup_test.sh MUSTER PORT
set -euo pipefail
source "$(dirname "$0")/small_network.sh"
localnet+=(--set run.rounds=14 --set timing.train_ms=20000)

"${localnet[@]}" >>"$run/out" 2>&1 &
pid=$!
for turn in 1 2 3; do
  wait_for "$pid" "$turn"
  for node in miner-1 validator-1 coordinator ledger; do
    "$muster" backup "$net/nodes/$node" "$run/backup/$node-$turn" >>"$run/backup.out" || fail "no backup of $node"
  done
done
! "$muster" backup "$net/nodes/miner-1" "$run/backup/miner-1-1" 2>"$run/refused" || fail "a backup was overwritten"
grep -q "is there already" "$run/refused" || fail "$(cat "$run/refused")"
wait_for "$pid" 4
stop "$pid"
[ -z "$(ls "$run/backup" | grep unfinished)" ] || fail "something unfinished was left"

# Each copy of the living coordinator is whole: rounds are sealed again from it, and audited.
mkdir -p "$run/other"
cp -r "$net"/{run.muster,genesis.muster,keys,data} "$run/other/"
for turn in 1 2 3; do
  rm -rf "$run/other"/{nodes,archive.muster,blobs,payloads}
  rebuild "$run/other" "$run/backup/coordinator-$turn"
  "$muster" audit "$run/other" >"$run/audit.out" || { cat "$run/audit.out"; fail "coordinator-$turn does not hold"; }
done

# An older miner and validator, and the coordinator as it was when it stopped.
"$muster" backup "$net/nodes/coordinator" "$run/backup/coordinator-last" >>"$run/backup.out"
for node in miner-1 validator-1; do
  rm -rf "$net/nodes/$node"
  cp -r "$run/backup/$node-2" "$net/nodes/$node"
done
rm -rf "$net"/{nodes/coordinator,archive.muster,blobs,payloads}
rebuild "$net" "$run/backup/coordinator-last"
# And the ledger: the blocks after its copy are lost, the registrations are in it. Its nodes would
# take nothing from a ledger that went back; they are told to go on.
cp "$run/backup/ledger-3/ledger.sqlite" "$net/nodes/ledger/ledger.sqlite"
rm -f "$net/nodes/ledger/ledger.sqlite-wal"
rm -f "$net"/nodes/*/ledger.followed*
code=0
"${localnet[@]}" >>"$run/out" 2>&1 || code=$?
# 3: too little training for the checks of loss and weight, and the report lacks the coordinator's first events.
[ $code -eq 0 ] || [ $code -eq 3 ] || fail "localnet ended with $code"
! grep -l '"dispute"' "$net"/nodes/*/events.jsonl || fail "somebody accused somebody"
"$muster" audit "$net" --json >"$run/audit.json" || { cat "$run/audit.json"; fail "the audit failed"; }
for node in miner-1 validator-1; do
  grep -q "restored from a copy: sits out round" "$net/nodes/$node/node.log" || fail "$node did not sit out a round"
  [ ! -e "$net/nodes/$node/restored" ] || fail "$node is still marked as a copy"
done
python3 - "$run" "$net" <<'PY'
import json, sys
run, net = sys.argv[1:]
audit = json.load(open(f"{run}/audit.json"))
assert audit["ok"] and audit["rounds"] == 14 and audit["disputes"] == 0, audit
def last_root(node):
    events = map(json.loads, open(f"{net}/nodes/{node}/events.jsonl"))
    return {event["round"]: event["theta_root"] for event in events if event["event"] == "applied"}[13]
assert {last_root(node) for node in ("miner-1", "miner-2", "validator-1")} == {audit["theta_root"]}
PY
