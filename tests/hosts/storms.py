#!/usr/bin/env python3
"""Storms over a network on hosts of its own (hosts.py): kills, cut links, loss, slow uplinks, distance, full disks, clocks.

  storms.py MUSTER [--seconds S] [--only STORM ...] [--seed N]     e.g. storms.py build/bin/muster --seconds 60
  storms.py --list

One storm after the other over one network, whose nodes are each on their own host, with rounds of a fraction of a second.
The table has the rounds that were sealed meanwhile, the longest time between two of them until the network had recovered,
and how long after the storm the first round was sealed in which every miner delivered and every validator screened. No node
may end by itself, and in the end every state must agree and the audit hold. A storm that needs what this machine lacks is
left out, with the reason in the table.
"""
import argparse
import glob
import os
import random
import shutil
import subprocess
import sys
import time

import hosts

DISK = "512m"  # of each host
# A round takes longer than a validator takes to replay one: shorter rounds would leave one that is behind there for good when
# there is no checkpoint that it can take.
SETTINGS = ["train.inner_steps=96"]
LOSS = "0.05"
UPLINK = "256kbit"
DISTANCE_MS = 100
EVERYBODY = ["ledger", "coordinator", *hosts.VALIDATORS, *hosts.MINERS]


class Missing(Exception):
    """What a storm needs and this machine does not have."""


def program(name):
    if shutil.which(name) is None:
        raise Missing(f"there is no program {name}")
    return name


class Weather:
    """What storms do to a network, at random until their time is over."""

    def __init__(self, network, seconds, seed):
        self.network, self.random = network, random.Random(seed)
        self.end = hosts.now() + seconds
        self.struck = 0

    def goes_on(self):
        return hosts.now() < self.end

    def wait(self, least_s, most_s):
        until = min(self.end, hosts.now() + self.random.uniform(least_s, most_s))
        while hosts.now() < until:
            self.network.check()
            time.sleep(max(0, min(0.1, until - hosts.now())))

    def rest(self):
        while self.goes_on():
            self.wait(1, 1)

    def host(self):
        self.struck += 1
        return self.network.hosts[self.random.choice(EVERYBODY)]

    def each(self):
        return [self.network.hosts[name] for name in EVERYBODY]


# ---- one strike each

def kill(weather):
    host = weather.host()
    host.end()
    weather.wait(0, 0.3)
    host.start()


def cut(weather):
    host = weather.host()
    host.link(False)
    weather.wait(0.1, 3)
    host.link(True)


def fill(weather):
    host = weather.host()
    filler = os.path.join(host.run, "filler")
    end = hosts.now() + weather.random.uniform(0.5, 3)
    with open(filler, "wb", buffering=0) as file:
        while hosts.now() < end and weather.goes_on():  # also what comes free meanwhile
            try:
                while True:
                    file.write(bytes(1 << 16))
            except OSError:
                weather.wait(0.1, 0.1)
    os.remove(filler)


# ---- storms

def repeated(strike, least_s, most_s):
    def storm(weather):
        while weather.goes_on():
            strike(weather)
            weather.wait(least_s, most_s)
    return storm


def calm(weather):
    weather.rest()


def routes(weather):
    """Packets of the coordinator to one host vanish; longer than a connection is kept without a sign of life."""
    while weather.goes_on():
        host = weather.network.hosts[weather.random.choice([*hosts.VALIDATORS, *hosts.MINERS])]
        weather.struck += 1
        weather.network.coordinator.ip("route", "add", "blackhole", host.address)
        weather.wait(2, 15)
        weather.network.coordinator.ip("route", "del", "blackhole", host.address)


def filter_of(host):
    for name in ("iptables", "iptables-legacy"):
        if shutil.which(name) and subprocess.run(host.on(name, "--list"), capture_output=True).returncode == 0:
            return name
    raise Missing("there is no iptables that works")


def loss(weather, storm=calm):
    filtered = [(host, filter_of(host)) for host in weather.each()]
    for host, name in filtered:
        tried = subprocess.run(host.on(name, "--append", "INPUT", "--match", "statistic", "--mode", "random",
                                       "--probability", LOSS, "--jump", "DROP"), capture_output=True, text=True)
        if tried.returncode != 0:
            raise Missing(tried.stderr.strip())
    storm(weather)
    for host, name in filtered:
        subprocess.run(host.on(name, "--flush"), check=True)


def slow(weather):
    program("tc")
    miners = [weather.network.hosts[name] for name in hosts.MINERS]
    for host in miners:
        tried = subprocess.run(host.on("tc", "qdisc", "add", "dev", "eth0", "root", "tbf", "rate", UPLINK, "burst", "8kb",
                                       "latency", "2s"), capture_output=True, text=True)
        if tried.returncode != 0:
            raise Missing(tried.stderr.strip())
    weather.rest()
    for host in miners:
        subprocess.run(host.on("tc", "qdisc", "del", "dev", "eth0", "root"), check=True)


def distance(weather):
    """Miners behind relays, so they start again when it begins and when it ends."""
    network = weather.network
    ports = {f"tcp://{network.ledger.address}:{hosts.LEDGER}": f"{hosts.LEDGER}:{network.ledger.address}:{hosts.LEDGER}"}
    for port in (hosts.CONTROL, hosts.BLOBS):
        ports[f"tcp://{network.coordinator.address}:{port}"] = f"{port}:{network.coordinator.address}:{port}"
    near = lambda word: f"tcp://127.0.0.1:{ports[word].split(':')[0]}" if word in ports else word
    relays = []
    miners = [network.hosts[name] for name in hosts.MINERS]
    commands = {host: host.command for host in miners}
    relay = [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "relay.py"), str(DISTANCE_MS)]
    for host in miners:
        relays.append(subprocess.Popen(host.on(*relay, *ports.values())))
        host.end()
        host.command = [near(word) for word in host.command]
        host.start()
    weather.rest()
    for host in miners:
        host.end()
        host.command = commands[host]
        host.start()
    for process in relays:
        process.kill()
        process.wait()


def clocks(weather):
    """Nodes start again with another monotonic clock, as after a reboot, and their wall clocks jump while they run."""
    library = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)
    if library is None:
        raise Missing("there is no libfaketime (Debian's package faketime)")
    time_namespace = [program("unshare"), "--time", "--fork", "--kill-child"]
    if subprocess.run([*time_namespace, "--monotonic", "1", "true"], capture_output=True).returncode != 0:
        raise Missing("time namespaces are not allowed here")
    jump = lambda: f"{weather.random.choice([-1, 1]) * 10 ** weather.random.uniform(0, 6):+.0f}s\n"
    while weather.goes_on():
        host = weather.host()
        wall = os.path.join(weather.network.folder, host.name + ".wall")
        if host.environment and weather.random.random() < 0.7:
            with open(wall, "w") as file:
                file.write(jump())
        else:
            ahead_s = weather.random.randint(-int(hosts.now() * 0.9), 10**6)
            host.end()
            with open(wall, "w") as file:
                file.write(jump())
            host.prefix = [*time_namespace, "--monotonic", str(ahead_s), "--boottime", str(ahead_s)]
            host.environment = {"LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": wall, "DONT_FAKE_MONOTONIC": "1",
                                "FAKETIME_CACHE_DURATION": "1"}
            host.events.clock_ahead_ms = ahead_s * 1000
            host.start()
        weather.wait(0.1, 2)


def everything(weather):
    strikes = [kill, kill, cut, cut, fill]
    loss(weather, repeated(lambda weather: weather.random.choice(strikes)(weather), 0, 1))


STORMS = {
    "calm": (calm, "nothing"),
    "kills": (repeated(kill, 0, 0.5), "kill -9 of any node, started again within 0.3 s"),
    "cuts": (repeated(cut, 0, 1), "the link of any node down for 0.1 to 3 s"),
    "routes": (routes, "the coordinator's packets to one node vanish, 2 to 15 s"),
    "loss": (loss, f"{float(LOSS):.0%} of all packets, each way"),
    "slow": (slow, f"miners' uplinks of {UPLINK}/s"),
    "distance": (distance, f"miners {DISTANCE_MS} ms away, each way"),
    "disks": (repeated(fill, 0, 1), "the disk of any node full for 0.5 to 3 s"),
    "clocks": (clocks, "reboots' monotonic clocks, wall clocks by up to 12 days"),
    "everything": (everything, "kills, cuts and full disks with loss"),
}


def measure(network, name, options):
    storm, what = STORMS[name]
    begun = network.wait_for_full_round(hosts.now())
    weather = Weather(network, options.seconds, f"{options.seed} {name}")
    start = hosts.now()
    try:
        storm(weather)
    except Missing as missing:
        return [name, what, "", f"left out: {missing}", "", "", "", ""]
    end = hosts.now()
    full = network.wait_for_full_round(end)
    times = [event["time_ms"] / 1000 for event in network.sealed(round=begun["round"])
             if event["time_ms"] <= full["time_ms"]]
    gap = max(after - before for before, after in zip(times, times[1:]))
    rounds = [event for event in network.sealed(time_ms=start * 1000) if event["time_ms"] <= end * 1000]
    return [name, what, f"{weather.struck or ''}", f"{end - start:.0f}", f"{len(rounds)}",
            f"{sum(event['null'] for event in rounds)}", f"{gap:.1f}", f"{full['time_ms'] / 1000 - end:.1f}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("muster", nargs="?")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--only", action="append", choices=STORMS)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    if options.list:
        return hosts.table([["storm", "what"], *([name, what] for name, (_, what) in STORMS.items())])
    hosts.in_own_namespaces()
    network = hosts.Network(options.muster, disks={name: DISK for name in EVERYBODY}, settings=SETTINGS)
    hosts.report(network, ["storm", "what", "strikes", "seconds", "rounds", "null", "longest gap, s", "recovered after, s"],
                 (measure(network, name, options) for name in options.only or STORMS))


if __name__ == "__main__":
    main()
