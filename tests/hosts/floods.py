#!/usr/bin/env python3
"""Floods by one registered hotkey, or by strangers from one address, against a network on hosts of its own (hosts.py).

  floods.py MUSTER FLOODER [--seconds S] [--times N] [--only MODE ...] [--memory-mib M]
  e.g. floods.py build/bin/muster build/tests/hosts/flooder --seconds 5 --times 5

Flooder and network share the machine, so each flood is measured against the same process that takes the same half of a core
and sends nothing: both take turns of S seconds, N times. The table has the medians of the rounds per second and of the
quotient of both, how much larger than in the beginning coordinator and ledger were at most, what the coordinator's folder
grew by in a round, and what the flooder sent. Whatever the figures are, the run must go on, no node may end, and all
states and the audit must agree at the end; with --memory-mib, coordinator and ledger may grow by that much at most.
"""
import argparse
import os
import signal
import statistics
import subprocess
import time

import hosts

# What it does, and against which port. Of the flooder's host when its hotkey is registered, else of a stranger's.
STRANGERS = {
    "connections": ("connects and resets", hosts.CONTROL),
    "idle": ("2000 connections that say one byte", hosts.CONTROL),
    "handshakes": ("CURVE handshakes with unknown keys", hosts.CONTROL),
    "garbage": ("rubbish, after a greeting or at once", hosts.BLOBS),
    "questions": ("asks the ledger with 64 keys, reads no answer", hosts.LEDGER),
}
MEMBERS = {
    "unfinished": ("messages whose last frame never comes", hosts.CONTROL),
    "large": ("messages of 1 MiB on four connections", hosts.CONTROL),
    "ready": ("Readys at the coordinator's state", hosts.CONTROL),
    "behind": ("Readys that ask for old rounds", hosts.CONTROL),
    "astray": ("Readys with a wrong root of θ", hosts.CONTROL),
    "disputes": ("Disputes with 264 messages as proof", hosts.CONTROL),
    "puts": ("offers a payload that is there", hosts.BLOBS),
    "gets": ("asks for a checkpoint and reads it", hosts.BLOBS),
    "slow-gets": ("… on four connections, reads 16 bytes an ask", hosts.BLOBS),
}
DISK_MIB = 16  # that a flood may cost beyond what its rounds take, however long it is


class Flooder:
    def __init__(self, network, program):
        self.network, self.program = network, os.path.abspath(program)
        coordinator = (network.coordinator, network.hotkey_of("coordinator"))
        self.servers = {hosts.LEDGER: (network.ledger, network.hotkey_of("ledger")), hosts.CONTROL: coordinator,
                        hosts.BLOBS: coordinator}

    def largest_blob(self, store):
        sizes = {}
        for path, file in hosts.files_in(os.path.join(self.network.coordinator.run, store)):
            blob = os.path.basename(os.path.dirname(path)) + os.path.basename(path)
            if len(blob) == 64:
                sizes[blob] = file.st_size
        return max(sizes, key=sizes.get)

    def start(self, mode):
        host = self.network.hosts["flooder" if mode in MEMBERS else "stranger"]
        port = {**MEMBERS, **STRANGERS}[mode][1] if mode != "spin" else hosts.CONTROL
        server, hotkey = self.servers[port]
        command = [self.program, mode, os.path.join(host.run, "keys", host.name), hotkey, self.network.run_id,
                   server.address, str(port), self.largest_blob("payloads" if mode == "puts" else "blobs")]
        process = subprocess.Popen(host.on(*command), stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "flooding\n", "the flooder did not begin"
        return process


def disk_mib_of(network):
    return sum(file.st_blocks for _, file in hosts.files_in(network.coordinator.run)) / 2048


class Turn:
    """What happened while a flooder, or one that only spins, was at work."""

    def __init__(self, network, flooder, mode, seconds):
        disk_mib = disk_mib_of(network)
        process = flooder.start(mode)
        begun = hosts.now()
        self.memory = {"coordinator": 0.0, "ledger": 0.0}
        while hosts.now() < begun + seconds:
            network.check()
            assert process.poll() is None, f"the flooder ended with {process.returncode}"
            for name in self.memory:
                self.memory[name] = max(self.memory[name], hosts.memory_mib(network.hosts[name].process.pid))
            time.sleep(0.05)
        ended = hosts.now()
        self.rounds = sum(event["time_ms"] < ended * 1000 for event in network.sealed(time_ms=begun * 1000))
        self.pace = self.rounds / (ended - begun)
        process.send_signal(signal.SIGTERM)
        self.sent = int(process.communicate()[0])
        self.disk_mib = disk_mib_of(network) - disk_mib


def measure(network, flooder, mode, options, before):
    spins, floods = [], []
    for _ in range(options.times):
        spins.append(Turn(network, flooder, "spin", options.seconds))
        floods.append(Turn(network, flooder, mode, options.seconds))
    network.wait_for_full_round(hosts.now())
    grown = {name: max(turn.memory[name] for turn in floods) - before[name] for name in before}
    if options.memory_mib is not None:
        for name, mib in grown.items():
            assert mib <= options.memory_mib, f"{mode}: {name} grew by {mib:.0f} MiB"
    in_a_round = lambda turns: sum(turn.disk_mib for turn in turns) / max(1, sum(turn.rounds for turn in turns))
    extra = sum(turn.disk_mib for turn in floods) - 2 * in_a_round(spins) * sum(turn.rounds for turn in floods)
    assert extra <= DISK_MIB, f"{mode}: the coordinator's folder grew by {extra:.0f} MiB more than its rounds take"
    quotients = [flood.pace / spin.pace for spin, flood in zip(spins, floods) if spin.pace > 0]
    median = lambda values: statistics.median(values) if values else float("nan")
    return ["stranger" if mode in STRANGERS else "hotkey", mode, {**STRANGERS, **MEMBERS}[mode][0],
            f"{sum(turn.sent for turn in floods) / (options.times * options.seconds):.0f}",
            f"{median([turn.pace for turn in spins]):.2f}", f"{median([turn.pace for turn in floods]):.2f}",
            f"{median(quotients):.2f}", f"{grown['coordinator']:+.0f}", f"{grown['ledger']:+.0f}",
            f"{1024 * in_a_round(spins):.0f}", f"{1024 * in_a_round(floods):.0f}"]


def measure_each(network, options):
    flooder = Flooder(network, options.flooder)
    hosts.until(lambda: len(network.sealed()) > 20, "twenty rounds", network.check)
    network.wait_for_full_round(hosts.now())
    before = {name: hosts.memory_mib(network.hosts[name].process.pid) for name in ("coordinator", "ledger")}
    for mode in options.only or [*STRANGERS, *MEMBERS]:
        yield measure(network, flooder, mode, options, before)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("muster")
    parser.add_argument("flooder")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--only", action="append", choices=[*STRANGERS, *MEMBERS])
    parser.add_argument("--memory-mib", type=float)
    options = parser.parse_args()
    hosts.in_own_namespaces()
    network = hosts.Network(options.muster, others=["flooder"], strangers=["stranger"])
    hosts.report(network, ["by", "flood", "what", "sent/s", "rounds/s", "flooded", "quotient", "coordinator MiB",
                           "ledger MiB", "KiB a round", "flooded"], measure_each(network, options))


if __name__ == "__main__":
    main()
