#!/usr/bin/env python3
"""A correct target of the protocol in another language: the control, which the gate must never flag.

Python 3.9 or later, standard library only; leases and statuses stand in control_registry.py, proposals in
control_proposals.py. Everything happens under one exclusive flock on a file that is never
deleted. Locks and marks stand in one state file, replaced whole (written, synced, renamed, directory synced), so a
SIGKILL at any instant leaves the old or the new one. A lock's time is CLOCK_MONOTONIC, the same for every process of
a boot. It answers no revisions: its histories are judged by the search.
"""

import fcntl
import hashlib
import json
import os
import sys
import time

import control_proposals
import control_registry
from control_fields import NUMBER_MAX, Invalid, Refused, identifier, number, optional, text

PROTOCOL = 1
LINE_BYTES_MAX = 1024 * 1024
PAGE_BYTES = 512 * 1024
TTL_MS_MAX = 366 * 24 * 3600 * 1000
WAIT_MS_MAX = 3600 * 1000
POLL_SECONDS = 0.01
SWALLOWED_MAX = 16
FOLDER = ".control"


# --- the disk -------------------------------------------------------------------------------------------------------


def write_all(fd, data):
    while data:
        data = data[os.write(fd, data) :]


def read_all(fd, offset=0):
    pieces = []
    while piece := os.pread(fd, 1 << 20, offset):
        pieces.append(piece)
        offset += len(piece)
    return b"".join(pieces)


def sync_folder(path):
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def monotonic_ms():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) / 1_000_000


def boot_id():
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


class Store:
    """The state of one root, and the flock around it."""

    def __init__(self, root):
        self.root = os.path.realpath(root)
        if not os.path.isdir(self.root):
            raise Invalid(f"`root` {root} is not a directory")
        self.folder = os.path.join(self.root, FOLDER)
        self.path = os.path.join(self.folder, "state.json")
        self.boot = boot_id()
        # Which state file is known durable; whether this request may have changed anything.
        self.synced, self.touched = None, False
        os.makedirs(self.folder, exist_ok=True)
        sync_folder(self.root)
        self.lock = os.open(os.path.join(self.folder, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def __enter__(self):
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        return self

    def __exit__(self, *_):
        fcntl.flock(self.lock, fcntl.LOCK_UN)

    def load(self):
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return {"boot": self.boot, "last": 0, "locks": {}, "leases": {}, "tasks": {}, "marks": {}}
        try:
            state = json.loads(read_all(fd))
            which = os.fstat(fd).st_ino
        finally:
            os.close(fd)
        if which != self.synced:
            # Whoever renamed it may have been killed before the folder was synced.
            sync_folder(self.folder)
            self.synced = which
        if state["boot"] != self.boot:
            # Another boot, another clock: what was held gets its whole time again.
            for lock in state["locks"].values():
                if lock["grant"]:
                    lock["grant"]["expires"] = monotonic_ms() + lock["grant"]["ttl_ms"]
            for lease in state["leases"].values():
                if lease["expires"] is not None:
                    lease["expires"] = monotonic_ms() + lease["ttl_ms"]
            state["boot"] = self.boot
        return state

    def save(self, state):
        temporary = self.path + ".new"
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        try:
            write_all(fd, json.dumps(state).encode())
            os.fsync(fd)
            which = os.fstat(fd).st_ino
        finally:
            os.close(fd)
        self.touched = True
        os.rename(temporary, self.path)
        sync_folder(self.folder)
        self.synced = which

    def sync_folder(self, path):
        sync_folder(path)

    def now(self):
        return monotonic_ms()

    def size(self, value):
        """The bytes of a value as it stands in an answer."""
        return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())

    def file(self, fields):
        """The real path of `file`, which stays below the root."""
        name = text(fields, "file")
        if not name.strip() or name.startswith("/") or "\0" in name or ".." in name.split("/"):
            raise Invalid(f"`file` {name!r} is not a path below the root")
        path = os.path.realpath(os.path.join(self.root, name))
        below = os.path.relpath(path, self.root)
        if below == "." or below.split("/")[0] in ("..", FOLDER) or os.path.isdir(path):
            raise Invalid(f"`file` {name!r} leaves the root, or is not a file of its users")
        return path


# --- locks ----------------------------------------------------------------------------------------------------------


def live(lock):
    grant = lock and lock["grant"]
    return grant if grant and monotonic_ms() < grant["expires"] else None


def shown(grant, holder, token, claim):
    """Whether holder and proof (the token, else the claim) name this grant or release."""
    if not grant or grant["holder"] != holder:
        return False
    return grant["token"] == token if token is not None else grant["claim"] == claim


def describe(grant, *keys):
    left = max(0, int(grant["expires"] - monotonic_ms()))
    return {**{key: grant[key] for key in keys}, "expires_in_ms": left}


def extend(grant, ttl_ms):
    """Moves the expiry later, never earlier; whether anything changed."""
    expires = monotonic_ms() + ttl_ms
    if expires <= grant["expires"]:
        return False
    grant["expires"], grant["ttl_ms"] = expires, ttl_ms
    return True


def lock_acquire(store, fields):
    name, holder = identifier(fields, "name"), identifier(fields, "holder")
    claim = optional(identifier, fields, "claim")
    ttl_ms = number(fields, "ttl_ms", 1, TTL_MS_MAX)
    wait_ms = optional(number, fields, "wait_ms", 0, WAIT_MS_MAX) or 0
    deadline = monotonic_ms() + wait_ms
    while True:
        with store:
            try:
                return acquire_once(store, name, holder, claim, ttl_ms)
            except Refused:
                if monotonic_ms() >= deadline:
                    raise
        time.sleep(POLL_SECONDS)


def acquire_once(store, name, holder, claim, ttl_ms):
    state = store.load()
    lock = state["locks"].setdefault(name, {"grant": None, "released": None, "newest": 0})
    grant = live(lock)
    if not grant:
        state["last"] += 1
        grant = {"holder": holder, "claim": claim, "token": state["last"], "ttl_ms": ttl_ms}
        grant["expires"] = monotonic_ms() + ttl_ms
        lock["grant"], lock["newest"] = grant, grant["token"]
        store.save(state)
    elif claim is None or (grant["holder"], grant["claim"]) != (holder, claim):
        raise Refused("held", describe(grant, "holder", "token"))
    elif extend(grant, ttl_ms):
        store.save(state)
    return describe(grant, "token")


def proof(fields):
    token, claim = optional(number, fields, "token"), optional(identifier, fields, "claim")
    if token is None and claim is None:
        raise Invalid("give `token` or `claim`: which grant is meant?")
    return token, claim


def lock_renew(store, fields):
    name, holder, (token, claim) = identifier(fields, "name"), identifier(fields, "holder"), proof(fields)
    ttl_ms = optional(number, fields, "ttl_ms", 1, TTL_MS_MAX)
    with store:
        state = store.load()
        lock = state["locks"].get(name)
        if not lock or not shown(lock["grant"], holder, token, claim):
            raise Refused("not_holder")
        grant = live(lock)
        if not grant:
            raise Refused("expired")
        if extend(grant, ttl_ms or grant["ttl_ms"]):
            store.save(state)
        return describe(grant, "token")


def lock_release(store, fields):
    name, holder, (token, claim) = identifier(fields, "name"), identifier(fields, "holder"), proof(fields)
    with store:
        state = store.load()
        lock = state["locks"].get(name)
        if lock and shown(lock["grant"], holder, token, claim):
            grant = live(lock)
            if not grant:
                raise Refused("expired")
            lock["grant"], lock["released"] = None, grant
            store.save(state)
            return {"token": grant["token"], "already": False}
        if lock and shown(lock["released"], holder, token, claim):
            return {"token": lock["released"]["token"], "already": True}
        raise Refused("not_holder")


def lock_break(store, fields):
    name = identifier(fields, "name")
    if not (optional(text, fields, "reason") or "").strip():
        raise Refused("needs_reason")
    with store:
        state = store.load()
        lock = state["locks"].get(name)
        grant = live(lock)
        if not grant:
            raise Refused("not_found")
        lock["grant"] = None
        store.save(state)
        return {"token": grant["token"]}


def lock_show(store, fields):
    name = identifier(fields, "name")
    with store:
        grant = live(store.load()["locks"].get(name))
        return describe(grant, "holder", "token") if grant else {"holder": None}


# --- the fence at a file --------------------------------------------------------------------------------------------


def fence_of(fields):
    fence = fields.get("fence")
    if fence is None:
        return None
    if not isinstance(fence, dict):
        raise Invalid("`fence` is not an object")
    kinds = [kind for kind in ("lock", "lease") if fence.get(kind) is not None]
    if len(kinds) != 1:
        raise Invalid("`fence` needs one of `lock` and `lease`")
    return kinds[0], identifier(fence, kinds[0]), number(fence, "token")


def newest_of(state, kind, name):
    """The newest token of a lock or a lease, and whether it still counts."""
    if kind == "lock":
        return state["locks"].get(name, {}).get("newest", 0), True
    lease = state["leases"].get(name, {"token": 0, "state": None})
    return lease["token"], lease["state"] not in ("crashed", "cleared")


def pass_fence(store, path, fence, writes):
    """Raises the mark of a file to what is shown, or refuses; under the flock, before the file is touched."""
    state = store.load()
    mark = state["marks"].get(path)
    guarded = mark and {mark[0]: mark[1], "token": mark[2]}
    if fence is None:
        if mark and writes:
            raise Refused("guarded", guarded)
        return
    kind, name, token = fence
    newest, counts = newest_of(state, kind, name)
    if token > newest:
        raise Invalid(f"{kind} {name!r} never had the token {token}")
    if token < newest or not counts:
        raise Refused("stale_token", {kind: name, "token": newest})
    if mark and mark[:2] != [kind, name]:
        raise Refused("guarded", guarded)
    if mark != [kind, name, token]:
        state["marks"][path] = [kind, name, token]
        store.save(state)


# --- logs -----------------------------------------------------------------------------------------------------------


def log_append(store, fields):
    path, fence, record = store.file(fields), fence_of(fields), fields.get("record")
    if not isinstance(record, dict) or not text(record, "id").strip():
        raise Invalid("`record` is not an object with an `id` that is not blank")
    line = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
    with store:
        pass_fence(store, path, fence, True)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            append_line(store, fd, line)
            os.fsync(fd)
        finally:
            os.close(fd)
        sync_folder(os.path.dirname(path))
    return {"appended": True}


def append_line(store, fd, line):
    """Writes until the line stands on its own: a foreign half line, written meanwhile, swallows it."""
    for _ in range(SWALLOWED_MAX):
        size = os.fstat(fd).st_size
        torn = size > 0 and os.pread(fd, 1, size - 1) != b"\n"
        data = b"\n" * torn + line + b"\n"
        store.touched = True
        if os.write(fd, data) != len(data):
            raise OSError("only a part of the line was written")
        lines = read_all(fd, size).split(b"\n")
        # The first piece belongs to the torn line, the last one to a line that is not ended.
        if line in lines[int(torn) : -1]:
            return
    raise OSError("another program keeps writing half lines")


def record_of(line):
    try:
        record = parse(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) and isinstance(record.get("id"), str) else None


def log_read(store, fields):
    path, after = store.file(fields), optional(number, fields, "after") or 0
    with store:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return {"records": [], "damaged": 0, "duplicates": []}
        try:
            data = read_all(fd)
            # Whoever appended may have been killed before it was synced.
            os.fsync(fd)
        finally:
            os.close(fd)
        sync_folder(os.path.dirname(path))
    return page(data, after)


def page(data, after):
    records, damaged, duplicates, seen, taken, offset = [], 0, {}, set(), 0, 0
    # What stands behind the last newline is no line yet.
    for line in data.split(b"\n")[:-1]:
        begin, offset = offset, offset + len(line) + 1
        record = record_of(line) if line.strip() else None
        repeated = record is not None and record["id"] in seen
        if record is not None:
            seen.add(record["id"])
        if begin < after or not line.strip():
            continue
        taken += len(line) + 1
        if taken > PAGE_BYTES and begin > after:
            return {"records": records, "damaged": damaged, "duplicates": list(duplicates), "next": begin}
        if record is None:
            damaged += 1
            continue
        records.append(record)
        if repeated:
            duplicates[record["id"]] = True
    return {"records": records, "damaged": damaged, "duplicates": list(duplicates)}


# --- documents ------------------------------------------------------------------------------------------------------


def version(data):
    return "absent" if data is None else f"{len(data)}-{hashlib.sha256(data).hexdigest()[:32]}"


def load_document(path):
    """The bytes and the value of a document; (None, None) where there is no file."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None, None
    try:
        data = read_all(fd)
        os.fsync(fd)
    finally:
        os.close(fd)
    sync_folder(os.path.dirname(path))
    try:
        return data, parse(data)
    except ValueError as error:
        raise Invalid(f"{path} is damaged, it stays as it is: {error}") from None


def store_document(store, path, document):
    data = (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()
    folder, name = os.path.split(path)
    os.makedirs(folder, exist_ok=True)
    temporary = os.path.join(folder, f".{name}.control-new")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        if os.path.exists(path):
            os.fchmod(fd, os.stat(path).st_mode & 0o7777)
        write_all(fd, data)
        os.fsync(fd)
    finally:
        os.close(fd)
    store.touched = True
    os.rename(temporary, path)
    sync_folder(folder)
    return version(data)


def doc_increment(store, fields):
    path, fence, key = store.file(fields), fence_of(fields), text(fields, "key")
    by = number(fields, "by", -NUMBER_MAX)
    with store:
        data, document = load_document(path)
        document = {} if data is None else document
        if not isinstance(document, dict):
            raise Invalid("the document is not an object")
        value = number(document, key, -NUMBER_MAX) if key in document else 0
        document[key] = value + by
        number(document, key, -NUMBER_MAX)
        pass_fence(store, path, fence, True)
        return {"value": value + by, "version": store_document(store, path, document)}


def merged(document, patch):
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    document = dict(document) if isinstance(document, dict) else {}
    for key, value in patch.items():
        if value is None:
            document.pop(key, None)
        else:
            document[key] = merged(document.get(key), value)
    return document


def doc_merge(store, fields):
    path, fence, expect = store.file(fields), fence_of(fields), optional(text, fields, "expect")
    if "patch" not in fields:
        raise Invalid("`patch` is missing")
    with store:
        data, document = load_document(path)
        if expect is not None and expect != version(data):
            raise Refused("version", {"version": version(data)})
        document = merged(document, fields["patch"])
        pass_fence(store, path, fence, True)
        return {"version": store_document(store, path, document)}


def doc_read(store, fields):
    path, fence = store.file(fields), fence_of(fields)
    with store:
        pass_fence(store, path, fence, False)
        data, document = load_document(path)
    if data is None:
        raise Refused("not_found")
    return {"document": document, "version": version(data)}


# --- the protocol ---------------------------------------------------------------------------------------------------

OPS = {
    "lock.acquire": lock_acquire,
    "lock.renew": lock_renew,
    "lock.release": lock_release,
    "lock.break": lock_break,
    "lock.show": lock_show,
    **control_registry.OPS,
    **control_proposals.OPS,
    "log.append": log_append,
    "log.read": log_read,
    "doc.increment": doc_increment,
    "doc.merge": doc_merge,
    "doc.read": doc_read,
}

HELLO = {
    "target": "control (Python)",
    "protocol": PROTOCOL,
    "offers": ["lock", "lease", "status", "log", "doc", "proposal"],
    "survives": ["kill", "power"],
    "locks_end": ["release", "ttl"],
    "fencing": True,
    "tokens": "ordered",
    "revisions": False,
}


def no_constant(word):
    raise ValueError(f"{word} is not JSON")


def parse(data):
    """Strict JSON in UTF-8; every defect is a ValueError."""
    try:
        value = json.loads(data.decode(), parse_constant=no_constant)
        # A lone surrogate, written as an escape, cannot be answered.
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


class Session:
    def __init__(self):
        self.store = None

    def perform(self, request):
        op = text(request, "op")
        if op == "hello":
            if request.get("protocol") != PROTOCOL or isinstance(request["protocol"], bool):
                raise Invalid(f"this protocol is not spoken here; {PROTOCOL} is")
            root = text(request, "root")
            if not os.path.isabs(root):
                raise Invalid("`root` is not absolute")
            self.store = Store(root)
            return HELLO
        if op not in OPS:
            raise Invalid(f"the operation {op!r} is not offered")
        if self.store is None:
            raise Invalid("say `hello` first")
        return OPS[op](self.store, request)

    def answer(self, line):
        answer = {"id": None}
        if self.store is not None:
            self.store.touched = False
        try:
            if len(line) > LINE_BYTES_MAX:
                raise Invalid("the line is too long")
            request = parse(line)
            if not isinstance(request, dict):
                raise Invalid("the line is not a JSON object")
            answer["id"] = request.get("id")
            value = self.perform(request)
            answer.update(outcome="ok", value=value)
        except Refused as refused:
            answer.update(outcome="refused", reason=refused.reason)
            if refused.value is not None:
                answer["value"] = refused.value
        except (Invalid, ValueError, OSError, RecursionError) as error:
            touched = self.store is not None and self.store.touched and not isinstance(error, Invalid)
            answer.update(outcome="info" if touched else "fail", error=str(error))
        return json.dumps(answer, ensure_ascii=False).encode(errors="replace") + b"\n"


def lines(file):
    """Lines without their newline; of one that is too long only the beginning, which is too long as well."""
    while line := file.readline(LINE_BYTES_MAX + 1):
        if len(line) > LINE_BYTES_MAX and not line.endswith(b"\n"):
            while (rest := file.readline(1 << 16)) and not rest.endswith(b"\n"):
                pass
        yield line[:-1] if line.endswith(b"\n") else line


def main():
    session = Session()
    for line in lines(sys.stdin.buffer):
        try:
            write_all(1, session.answer(line))
        except BrokenPipeError:
            return


if __name__ == "__main__":
    main()
