"""A muster network whose nodes live on hosts of their own: network namespaces behind one bridge, real processes in them.

For storms.py and floods.py. in_own_namespaces() first moves the whole program into namespaces of mounts, network and
processes, so that whatever way it ends, its hosts, mounts and processes end with it. Where the system does not allow
that, the program exits with SKIPPED, which ctest shows as a skipped test.
"""
import atexit
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SETTINGS = """run.rounds=0 train.inner_steps=1 train.batch=2 model.layers=1 model.d_model=32 model.d_ff=64 model.context=32
verify.screen_sequences=4 verify.own_sequences=4 verify.shared_sequences=4 verify.unscreened_rounds_max=0
timing.gather_ms=2000 timing.train_ms=4000 timing.reveal_ms=2000 timing.screen_ms=3000 timing.grace_min_ms=50
timing.grace_max_ms=500 timing.pause_ms=50 timing.pause_max_ms=200 ledger.block_ms=100""".split()
MINERS = ["miner-1", "miner-2", "miner-3"]
VALIDATORS = ["validator-1", "validator-2"]
LEDGER, CONTROL, BLOBS = 27600, 27601, 27602
PATIENCE_S = 300  # for what must happen sometime, also on a busy machine


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def in_own_namespaces():
    if os.environ.get("MUSTER_HOSTS") == "inside":
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        return
    command = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.geteuid() != 0:
        command.append("--map-root-user")
    for program in ("ip", "nsenter", "unshare"):
        if shutil.which(program) is None:
            skip(f"there is no program {program}")
    trial = command + ["sh", "-c", "mount -t tmpfs tmpfs /run && ip netns add trial && "
                                   "ip link add trial type bridge && ip link add near type veth peer name far netns trial"]
    tried = subprocess.run(trial, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if tried.returncode != 0:
        skip("network namespaces are not allowed here: " + tried.stdout.strip())
    os.environ["MUSTER_HOSTS"] = "inside"
    os.execvp(command[0], command + [sys.executable, *sys.argv])


def now():
    return time.monotonic()


def until(condition, what, check=lambda: None):
    """Polls until the condition holds, and returns what it gave."""
    end = now() + PATIENCE_S
    while True:
        found = condition()
        if found:
            return found
        check()
        if now() > end:
            raise AssertionError(f"not within {PATIENCE_S} s: {what}")
        time.sleep(0.02)


def memory_mib(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1]) / 1024


def files_in(folder):
    """Path and state of each file, of those that are not dropped meanwhile."""
    for place, _, files in os.walk(folder):
        for file in files:
            try:
                yield os.path.join(place, file), os.stat(os.path.join(place, file))
            except FileNotFoundError:
                continue


class Events:
    """A node's events.jsonl, read as it grows."""

    def __init__(self, path):
        self.path, self.offset, self.all = path, 0, []
        self.clock_ahead_ms = 0  # of that node's clock, since its last start

    def read(self):
        try:
            with open(self.path, "rb") as file:
                file.seek(self.offset)
                lines = file.read()
        except FileNotFoundError:
            return self.all
        whole = lines.rfind(b"\n") + 1
        self.offset += whole
        for line in lines[:whole].splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue  # a line that a kill tore
            if "time_ms" in event:
                event["time_ms"] -= self.clock_ahead_ms
            self.all.append(event)
        return self.all

    def named(self, name, **least):
        """Those of a name, in order; only the newest, with named("sealed", round=7) those from round 7 on."""
        found = []
        for event in reversed(self.read()):
            if event["event"] != name:
                continue
            if any(event[field] < value for field, value in least.items()):
                break
            found.append(event)
        return found[::-1]


class Host:
    """A network namespace with one address. Its node's folder is `run`, which is a disk of its own when `disk` says so."""

    def __init__(self, network, name, number, disk):
        self.network, self.name, self.address = network, name, f"10.66.0.{number}"
        self.run = os.path.join(network.folder, name)
        os.makedirs(self.run)
        self.disk = disk
        if disk:
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={disk}", "tmpfs", self.run], check=True)
        network.ip("netns", "add", name)
        network.ip("link", "add", "eth0", "netns", name, "type", "veth", "peer", "name", f"to{number}")
        network.ip("link", "set", f"to{number}", "master", "bridge", "up")
        self.ip("address", "add", f"{self.address}/24", "dev", "eth0")
        self.link(True)
        self.ip("link", "set", "lo", "up")
        self.log = os.path.join(network.folder, name + ".out")
        self.process, self.command = None, []
        self.prefix, self.environment = [], {}
        self.events = Events(os.path.join(self.run, "nodes", name, "events.jsonl"))

    def unmount(self):
        if self.disk:
            subprocess.run(["umount", "--lazy", self.run], check=False)

    def on(self, *command):
        return ["nsenter", f"--net=/run/netns/{self.name}", "--", *command]

    def ip(self, *arguments):
        subprocess.run(self.on("ip", *arguments), check=True)

    def link(self, up):
        self.ip("link", "set", "eth0", "up" if up else "down")

    def muster(self, *arguments):
        done = subprocess.run(self.on(self.network.muster, *arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True)
        assert done.returncode == 0, f"muster {' '.join(arguments)}: {done.stdout}"
        return done.stdout

    def start(self):
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(self.on(*self.prefix, *self.command), stdout=log, stderr=subprocess.STDOUT,
                                            start_new_session=True, env={**os.environ, **self.environment})

    def end(self, how=signal.SIGKILL):
        """Ends the node, and waits until it has ended."""
        try:
            os.killpg(self.process.pid, how)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process = None
        self.events.read()

    def delivered_since(self, first):
        """The rounds of this miner from that one on in which its payload was there in time."""
        rounds = self.events.named("round", round=first)
        return {event["round"] for event in rounds if event["in_roster"] and event["outcome"] != "missed"}

    def check(self):
        code = self.process.poll() if self.process else None
        assert code is None, "\n".join([f"{self.name} ended by itself with {code}:", *self.said()])

    def said(self):
        """The last lines of its node, if it ever had one."""
        lines = []
        for log in (os.path.join(self.run, "nodes", self.name, "node.log"), self.log):
            if os.path.exists(log):
                with open(log, errors="replace") as file:
                    lines += file.read().splitlines()[-10:]
        return lines


class Network:
    def __init__(self, muster, others=(), strangers=(), disks=None, settings=()):
        """`others`: names of more registered miners, with a host and a key and no node; `strangers`: of such without a uid.
        `disks`: sizes by name of host."""
        self.muster = os.path.abspath(muster)
        self.folder = os.environ.get("KEEP") or tempfile.mkdtemp(prefix="muster-hosts-")
        if "KEEP" not in os.environ:
            atexit.register(self.remove)
        self.ip("link", "set", "lo", "up")
        self.ip("link", "add", "bridge", "type", "bridge")
        self.ip("link", "set", "bridge", "up")
        self.nodes = ["ledger", "coordinator", *VALIDATORS, *MINERS]
        self.hosts = {name: Host(self, name, number, (disks or {}).get(name))
                      for number, name in enumerate([*self.nodes, *others, *strangers], start=1)}
        self.ledger, self.coordinator = self.hosts["ledger"], self.hosts["coordinator"]
        self.ports = ["--ledger", f"tcp://{self.ledger.address}:{LEDGER}"]
        self.coordinators = ["--control", f"tcp://{self.coordinator.address}:{CONTROL}",
                             "--blobs", f"tcp://{self.coordinator.address}:{BLOBS}"]
        self.make_run(others, strangers, settings)
        self.enter(others)

    def remove(self):
        for name in self.hosts:
            self.hosts[name].unmount()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ip(self, *arguments):
        subprocess.run(["ip", *arguments], check=True)

    def make_run(self, others, strangers, settings):
        made = os.path.join(self.folder, "made")
        members = [*MINERS, *VALIDATORS, *others]
        hotkeys = []
        for name in [*members, *strangers]:
            key = self.coordinator.muster("key", "new", os.path.join(self.hosts[name].run, "keys", name))
            hotkeys += ["--hotkey", key.split()[-1]] if name in members else []
        arguments = [argument for setting in [*SETTINGS, *settings] for argument in ("--set", setting)]
        said = self.coordinator.muster("init", os.path.join(ROOT, "examples/quickstart.toml"), "--run", made, *hotkeys,
                                       *arguments)
        self.run_id = said.split()[-1]
        for name, host in self.hosts.items():
            for file in ("run.muster", "genesis.muster"):
                shutil.copy(os.path.join(made, file), host.run)
            os.symlink(os.path.join(made, "data"), os.path.join(host.run, "data"))
            if name in ("ledger", "coordinator"):
                os.makedirs(os.path.join(host.run, "keys"))
                shutil.copy(os.path.join(made, "keys", name), os.path.join(host.run, "keys"))

    def hotkey_of(self, server):
        return self.coordinator.muster("key", "show", os.path.join(self.folder, "made", "keys", server)).split()[-1]

    def enter(self, others):
        self.ledger.command = [self.muster, "ledger", "serve", "--run", self.ledger.run, "--name", "ledger", *self.ports]
        self.ledger.start()
        asked = [*self.ports, "--ledger-key", self.hotkey_of("ledger")]
        for name in [*VALIDATORS, *MINERS, *others]:
            host = self.hosts[name]
            role = "validator" if name in VALIDATORS else "miner"
            own = ["--run", host.run, "--key", name, *asked]
            host.muster("ledger", "register", *own)
            if name in VALIDATORS:
                host.muster("ledger", "stake", "add", "1", "100", *own)
            host.command = [self.muster, role, "--run", host.run, "--name", name, *asked, *self.coordinators]
            if role == "miner":
                host.command = ["nice", "-n", "10", *host.command]
        self.coordinator.command = [
            self.muster, "coordinator", "--run", self.coordinator.run, *asked, *self.coordinators,
            "--start-miners", str(len(MINERS)), "--start-validators", str(len(VALIDATORS)),
            "--checkpoint-every", "16", "--offer-after", "8"]
        for name in self.nodes[1:]:
            self.hosts[name].start()

    def check(self):
        """Every node runs: none ended by itself."""
        for name in self.nodes:
            self.hosts[name].check()

    def sealed(self, **least):
        return self.coordinator.events.named("sealed", **least)

    def full_round_since(self, time_s):
        """The first round sealed after that time in which every miner delivered and every validator screened."""
        sealed = [event for event in self.sealed(time_ms=time_s * 1000) if event["screens"] == len(VALIDATORS)]
        if not sealed:
            return None
        delivered = [self.hosts[miner].delivered_since(sealed[0]["round"]) for miner in MINERS]
        return next((event for event in sealed if all(event["round"] in rounds for rounds in delivered)), None)

    def wait_for_full_round(self, since_s):
        return until(lambda: self.full_round_since(since_s), "a round of all nodes", self.check)

    def finish(self):
        """Ends the network, and checks what must be true of it whatever happened; returns the number of its rounds."""
        self.wait_for_full_round(now())
        for name in reversed(self.nodes):
            self.hosts[name].end(signal.SIGTERM)
        sealed = self.sealed()
        roots = {event["round"]: event["theta_root"] for event in sealed}
        for name in [*MINERS, *VALIDATORS]:
            for event in self.hosts[name].events.named("applied"):
                root = roots.get(event["round"], event["theta_root"])
                assert event["theta_root"] == root, f"{name} had another state after round {event['round']}"
        audit = json.loads(self.coordinator.muster("audit", self.coordinator.run, "--json"))
        assert audit["ok"] and audit["rounds"] >= sealed[-1]["round"] + 1, audit
        return audit["rounds"]

    def print_logs(self):
        for name, host in self.hosts.items():
            print(f"---- {name}", *host.said(), sep="\n")


def table(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for number, row in enumerate(rows):
        print("| " + " | ".join(cell.ljust(width) if column == 0 else cell.rjust(width)
                                for column, (cell, width) in enumerate(zip(row, widths))) + " |")
        if number == 0:
            print("|" + "|".join("-" * (width + 2) if column == 0 else "-" * (width + 1) + ":"
                                 for column, width in enumerate(widths)) + "|")
    sys.stdout.flush()


def report(network, header, rows):
    """Prints each row of measurements as it comes, and at the network's end all; what the nodes said when something fails."""
    try:
        done = []
        for row in rows:
            done.append(row)
            table([header, row])
        rounds = network.finish()
        table([header, *done])
        print(f"{rounds} rounds; every state agrees, audit ok")
    except BaseException:
        network.print_logs()
        raise
