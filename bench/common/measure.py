"""Side-by-side measurement: CPU time per operation of each contestant, in alternating rounds."""
import os
import statistics

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """User and system time of a process with all its threads, so far."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


class Contestant:
    """`pids` are the processes of the proxy; `load()` runs the load once and returns the operations done."""

    def __init__(self, name, pids, load):
        self.name = name
        self.pids = list(pids)
        self.load = load
        self.cpu_per_operation = []
        self.operations_per_second = []

    def run_once(self):
        before = sum(map(cpu_seconds, self.pids))
        operations, seconds = self.load()
        used = sum(map(cpu_seconds, self.pids)) - before
        if operations == 0:
            raise SystemExit(f"{self.name}: the load did no operation; nothing can be compared")
        self.cpu_per_operation.append(used / operations)
        self.operations_per_second.append(operations / seconds)


def alternate(contestants, rounds):
    """A warm-up that is not counted, then each contestant once a round."""
    for contestant in contestants:
        contestant.load()
    for round_number in range(rounds):
        # Every other round in reverse order, so that nobody always comes first.
        for contestant in contestants if round_number % 2 == 0 else contestants[::-1]:
            contestant.run_once()
    for contestant in contestants:
        median = statistics.median(contestant.cpu_per_operation) * 1e6
        print(f"{contestant.name:32} {median:8.2f} µs CPU per operation "
              f"(min {min(contestant.cpu_per_operation) * 1e6:.2f}, max {max(contestant.cpu_per_operation) * 1e6:.2f})")


def median_ratio(ours, peer, figure="cpu_per_operation"):
    """The median over the rounds of ours / the peer's."""
    pairs = zip(getattr(ours, figure), getattr(peer, figure), strict=True)
    return statistics.median(a / b for a, b in pairs)


def report(name, value, relation, target):
    """One line a target, whether it is met or not. `target` None: there is none yet."""
    print(f"RATIO {name} {value:.2f} {relation} {target if target is not None else '-'}")
