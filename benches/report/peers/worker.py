"""A worker of the Python package filelock, by the same words as the workers in Rust: one JSON argument, `ready`, `go`,
one JSON line. The JSON file is read, changed, written beside, synced, renamed, and its folder synced."""

import collections
import json
import math
import os
import sys
import time

import filelock

TASK = json.loads(sys.argv[1])
RECORD = "r" * max(1, TASK["record_bytes"] - 1)
RECENT = 64


def at(name):
    return os.path.join(TASK["dir"], name)


# A name of its own for each process: if the lock let two in, an update would be lost, and would be counted.
TEMP = at(f"state.{os.getpid()}.new")
# By default the package polls every 50 ms; this is for as short a wait as is of use.
LOCK = filelock.FileLock(at("the.lock"), timeout=5, poll_interval=0.001)


def replace(state):
    with open(TEMP, "w", encoding="utf-8") as file:
        json.dump(state, file)
        file.flush()
        os.fsync(file.fileno())
    os.rename(TEMP, at("state.json"))
    folder = os.open(TASK["dir"], os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def read():
    with open(at("state.json"), encoding="utf-8") as file:
        return json.load(file)


def commit():
    state = read()
    state["recent"][str(state["count"] % RECENT)] = RECORD
    state["count"] += 1
    replace(state)


def nothing():
    pass


def work():
    until = time.perf_counter_ns() + TASK["work_us"] * 1000
    while time.perf_counter_ns() < until:
        pass


def append():
    with open(at("records.ndjson"), "a", encoding="utf-8") as file:
        file.write(RECORD + "\n")
        file.flush()
        os.fdatasync(file.fileno())


def counter():
    state = read()
    state["count"] += 1
    replace(state)


INSIDE = {"commit": commit, "lock": nothing, "lock-1ms": work, "log": append, "counter": counter}[TASK["workload"]]
SAID = {"within": 0, "acked": 0, "unsure": 0, "gave_up": 0}


def once():
    try:
        LOCK.acquire()
    except filelock.Timeout:
        SAID["gave_up"] += 1
        return False
    try:
        INSIDE()
    finally:
        LOCK.release()
    SAID["acked"] += 1
    return True


def rounded(ns):
    """Three digits, as everybody's latencies."""
    unit = 10 ** max(0, int(math.log10(max(1, ns))) - 2)
    return round(ns / unit) * unit


def main():
    once()
    print("ready", flush=True)
    if sys.stdin.readline().strip() != "go":
        return
    latency = collections.Counter()
    begun = now = time.perf_counter_ns()
    window = TASK["window_ms"] * 1_000_000
    while now - begun < window:
        done = once()
        ended = time.perf_counter_ns()
        latency[rounded(ended - now)] += 1
        if done and ended - begun <= window:
            SAID["within"] += 1
        now = ended
    print(json.dumps({**SAID, "latency": list(latency.items())}), flush=True)


main()
