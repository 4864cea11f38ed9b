"""Leases and statuses of the control: dictionaries in its state file, changed under its flock.

A lease has no process here: it lapses by its TTL alone, where it has one. Nothing is forgotten.
"""

import functools
import json
import re

from control_fields import Invalid, Refused, identifier, number, optional, text

OVER_MAX = 64
ENTRIES_MAX = 1024
BYTES_MAX = 24 * 1024
PATTERN_BYTES_MAX = 4096
DETAIL_BYTES_MAX = 4096
PAGE_BYTES = 512 * 1024
STATES = ("open", "closed", "crashed", "cleared")
RANKS = {"todo": 0, "in_progress": 1, "blocked": 1, "done": 2, "cancelled": 2}
TERMINAL = ("done", "cancelled")
LAST_CHARACTER = 0x10FFFF
WILD = re.compile(r"[*?\[\\]")


def flag(fields, key):
    value = fields.get(key)
    if value is not None and not isinstance(value, bool):
        raise Invalid(f"`{key}` is not true or false")
    return bool(value)


def reason_of(fields):
    return (optional(text, fields, "reason") or "").strip()


# --- what a lease writes --------------------------------------------------------------------------------------------


class Any:
    """`*` within a name, `**` as a whole one."""


@functools.lru_cache(maxsize=4096)
def components(entry):
    """The components of a path or glob: each is Any, or a list of Any and of lists of ranges of characters."""
    if not entry.strip() or len(entry.encode()) > PATTERN_BYTES_MAX:
        raise Invalid("`write_set` holds what is not a path or a glob")
    if entry == ".":
        return []
    parts = entry.removesuffix("/").split("/")
    if any(part in ("", ".", "..") for part in parts) or re.search(r"[\x00-\x1f\x7f-\x9f]", entry):
        raise Invalid(f"{entry!r} is not a plain path or glob below the root")
    read = [Any if part == "**" else tokens(part) for part in parts]
    every = [(0, LAST_CHARACTER)]
    if all(part is Any or all(token in (Any, every) for token in part) for part in read):
        raise Invalid(f"{entry!r} is made of wildcards alone")
    return read


def tokens(part):
    read, at = [], 0
    while at < len(part):
        letter = part[at]
        at += 1
        if letter == "*":
            read.append(Any)
        elif letter == "?":
            read.append([(0, LAST_CHARACTER)])
        elif letter == "[":
            ranges, at = character_class(part, at)
            read.append(ranges)
        else:
            if letter == "\\":
                if at == len(part):
                    raise Invalid(f"{part!r} ends with a backslash")
                letter = part[at]
                at += 1
            read.append([(ord(letter), ord(letter))])
    return read


def character_class(part, at):
    found = re.compile(r"([!^]?)((?:\]|\\.|[^\]\\])(?:\\.|[^\]\\])*)\]").match(part, at)
    if not found:
        raise Invalid(f"{part!r} has a `[` without its `]`")
    negated, inside = found.groups()
    letters = re.findall(r"\\.|.", inside)
    ranges, index = [], 0
    while index < len(letters):
        low = high = ord(letters[index][-1])
        if letters[index + 1 : index + 2] == ["-"] and index + 2 < len(letters):
            high = ord(letters[index + 2][-1])
            index += 2
        if low > high:
            raise Invalid(f"{part!r} has a range that goes back")
        ranges.append((low, high))
        index += 1
    return (complement(ranges) if negated else ranges), found.end()


def complement(ranges):
    left, begin = [], 0
    for low, high in sorted(ranges):
        if begin < low:
            left.append((begin, low - 1))
        begin = max(begin, high + 1)
    return left + [(begin, LAST_CHARACTER)]


def meet(one, two, same):
    """Whether two sequences, in which Any stands for any number of things, can be one."""
    seen, todo = set(), [(0, 0)]
    while todo:
        state = todo.pop()
        if state in seen:
            continue
        seen.add(state)
        i, j = state
        if i == len(one) and j == len(two):
            return True
        left, right = one[i : i + 1], two[j : j + 1]
        if left == [Any]:
            todo += [(i + 1, j)] + [(i, j + 1)] * bool(right)
        elif right == [Any]:
            todo += [(i, j + 1)] + [(i + 1, j)] * bool(left)
        elif left and right and same(left[0], right[0]):
            todo.append((i + 1, j + 1))
    return False


def share_a_character(one, two):
    return any(max(a, c) <= min(b, d) for a, b in one for c, d in two)


def share_a_name(one, two):
    return meet(one, two, share_a_character)


def plain(entry):
    """The components before the first wildcard."""
    names = re.sub(r"\\.", "", entry.removesuffix("/")).split("/")
    wild = (at for at, name in enumerate(names) if re.search(r"[*?\[]", name))
    return components(entry)[: next(wild, len(names))]


def is_file(entry):
    return not entry.endswith("/") and entry != "." and plain(entry) == components(entry)


def overlap(one, two):
    """Whether some path is in both, or one is a file where the other has a folder. A file is one path; a folder, which
    ends in a slash, and a glob go on below."""
    if not WILD.search(one + two):
        one, two = one.removesuffix("/"), two.removesuffix("/")
        return f"{one}/".startswith(f"{two}/") or f"{two}/".startswith(f"{one}/") or "." in (one, two)
    for file, other in ((one, two), (two, one)):
        if is_file(file) and plain(other)[: len(components(file))] == components(file):
            return True
    first, second = (components(entry) + [Any] * (not is_file(entry)) for entry in (one, two))
    return meet(first, second, share_a_name)


def write_set(fields):
    entries = fields.get("write_set")
    if entries is None:
        return []
    if not isinstance(entries, list) or len(entries) > ENTRIES_MAX:
        raise Invalid(f"`write_set` is not an array of at most {ENTRIES_MAX} paths")
    for entry in entries:
        if not isinstance(entry, str):
            raise Invalid("`write_set` holds what is not a string")
        components(entry)
    if sum(len(entry.encode()) for entry in entries) > BYTES_MAX:
        raise Invalid(f"`write_set` has more than {BYTES_MAX} bytes")
    return entries


# --- leases ---------------------------------------------------------------------------------------------------------


def named(lease, key, *more):
    return {"lease": key, **{field: lease[field] for field in ("token", "holder", *more)}}


def lapsed(store, lease):
    return lease["expires"] is not None and store.now() >= lease["expires"]


def grant(store, fields):
    key, holder = identifier(fields, "lease"), identifier(fields, "holder")
    ttl_ms = optional(number, fields, "ttl_ms", 1, 366 * 24 * 3600 * 1000)
    writes = write_set(fields)
    about = {word: optional(identifier, fields, word) for word in ("worktree", "branch", "agent")}
    with store:
        state = store.load()
        leases = state["leases"]
        last = leases.get(key)
        if last and last["state"] == "open" and not lapsed(store, last):
            raise Refused("already_open", named(last, key))
        touched = [
            other
            for other, lease in sorted(leases.items())
            if lease["state"] == "open"
            and (other == key or any(overlap(a, b) for a in writes for b in lease["write_set"]))
        ]
        live = [other for other in touched if not lapsed(store, leases[other])]
        in_the_way = live or (touched if len(touched) > OVER_MAX else [])
        if in_the_way:
            raise Refused("overlap", {"leases": [named(leases[other], other) for other in in_the_way[:OVER_MAX]]})
        for other in touched:
            leases[other].update(state="crashed", evidence="ttl-passed")
        state["last"] += 1
        lease = {"token": state["last"], "holder": holder, "state": "open", "write_set": writes, "expires": None}
        lease.update({word: value for word, value in about.items() if value is not None})
        if ttl_ms is not None:
            lease.update(ttl_ms=ttl_ms, expires=store.now() + ttl_ms)
        leases[key] = lease
        store.save(state)
        value = {"lease": key, "token": lease["token"]}
        if ttl_ms is not None:
            value["expires_in_ms"] = max(0, int(lease["expires"] - store.now()))
        return {**value, "crashed": touched} if touched else value


def end(store, fields, decide):
    """Ends a lease as `decide` says: the changes, or none where it had ended so before."""
    key = identifier(fields, "lease")
    with store:
        state = store.load()
        lease = state["leases"].get(key)
        changes = decide(key, lease)
        if changes:
            lease.update(changes)
            store.save(state)
        return {"state": lease["state"], "token": lease["token"]}, not changes


def close(store, fields):
    token = number(fields, "token")

    def decide(key, lease):
        if not lease:
            raise Refused("not_found")
        if lease["state"] == "open":
            if lease["token"] != token:
                raise Refused("not_holder", named(lease, key))
            return {"state": "closed"}
        if (lease["state"], lease["token"]) != ("closed", token):
            raise Refused("not_open", named(lease, key, "state"))
        return None

    value, already = end(store, fields, decide)
    return {**value, "already": already}


def crash(store, fields):
    token, reason = optional(number, fields, "token"), reason_of(fields)

    def decide(key, lease):
        if not reason:
            raise Refused("needs_reason")
        if not lease:
            raise Refused("not_found")
        if lease["state"] != "open":
            raise Refused("not_open", named(lease, key, "state"))
        if token not in (None, lease["token"]):
            raise Refused("not_holder", named(lease, key))
        return {"state": "crashed", "reason": reason}

    return end(store, fields, decide)[0]


def clear(store, fields):
    force, reason = flag(fields, "force"), reason_of(fields)

    def decide(_, lease):
        if force and not reason:
            raise Refused("needs_reason")
        if not lease or lease["state"] == "cleared":
            raise Refused("not_found")
        if lease["state"] == "open" and not force:
            raise Refused("needs_reason")
        return {"state": "cleared", "reason": reason}

    return end(store, fields, decide)[0]


def told(key, lease):
    return {"lease": key, **{field: value for field, value in lease.items() if field != "expires"}}


def show(store, fields):
    key = identifier(fields, "lease")
    with store:
        lease = store.load()["leases"].get(key)
    if not lease:
        raise Refused("not_found")
    return told(key, lease)


def list_leases(store, fields):
    state, after = fields.get("state"), optional(identifier, fields, "after")
    if state is not None and state not in STATES:
        raise Invalid(f"`state` is not one of {', '.join(STATES)}")
    with store:
        leases = store.load()["leases"]
    chosen, taken = [], 0
    for key, lease in sorted(leases.items(), key=lambda item: item[0].encode()):
        if (state not in (None, lease["state"])) or (after is not None and key.encode() <= after.encode()):
            continue
        taken += store.size(told(key, lease))
        if chosen and taken > PAGE_BYTES:
            return {"leases": chosen, "next": chosen[-1]["lease"]}
        chosen.append(told(key, lease))
    return {"leases": chosen}


# --- statuses -------------------------------------------------------------------------------------------------------


def status(fields, key):
    value = identifier(fields, key)
    if value not in RANKS:
        raise Invalid(f"`{key}` {value!r} is unknown; there are {', '.join(RANKS)}")
    return value


def detail_of(value, size):
    if value is not None and (not isinstance(value, dict) or size(value) > DETAIL_BYTES_MAX):
        raise Invalid("a detail is an object of at most 4 KiB")
    return value


def cell(epoch, turn, statuses):
    """A value: the statuses that stand, each with its detail or None."""
    return {"epoch": epoch, "turn": turn, "statuses": statuses}


def shown(value):
    details = {name: detail for name, detail in value["statuses"].items() if detail is not None}
    whole = {**value, "statuses": sorted(value["statuses"])}
    return {**whole, "details": details} if details else whole


def rank(value):
    return RANKS[next(iter(value["statuses"]))]


def move(store, fields, decide):
    """Puts what `decide` makes of the value that stands in its place; none leaves it."""
    task = identifier(fields, "task")
    with store:
        state = store.load()
        stands = state["tasks"].get(task)
        value = decide(state, stands)
        if value is not None:
            state["tasks"][task] = value
            store.save(state)
        return {**shown(value or stands), "already": value is None}


def set_status(store, fields):
    to, seen = status(fields, "to"), optional(status, fields, "from")
    epoch, resolve = optional(number, fields, "epoch") or 0, flag(fields, "resolve")
    detail = detail_of(fields.get("detail"), store.size)

    def decide(_, stands):
        if epoch > (stands["epoch"] if stands else 0):
            raise Invalid(f"epoch {epoch} was never reached")
        if not stands:
            if seen is not None:
                raise Refused("conflict")
            return cell(0, 0, {to: detail})
        if epoch < stands["epoch"]:
            raise Refused("stale_epoch", shown(stands))
        return step(stands, to, seen, detail, resolve)

    return move(store, fields, decide)


def step(stands, to, seen, detail, resolve):
    """A step in the epoch that stands."""
    statuses, turned = stands["statuses"], cell(stands["epoch"], stands["turn"] + 1, {to: detail})
    if to in statuses:
        says_more = detail is not None and detail != statuses[to]
        if resolve and len(statuses) > 1:
            return cell(stands["epoch"], stands["turn"] + 1, {to: statuses[to] if detail is None else detail})
        # A detail that stands is replaced by who names the status that it goes with.
        if says_more and (len(statuses) > 1 or (statuses[to] is not None and seen != to)):
            raise Refused("conflict", shown(stands))
        return turned if says_more else None
    if RANKS[to] < rank(stands) or any(name in TERMINAL for name in statuses):
        raise Refused("regression", shown(stands))
    if RANKS[to] > rank(stands):
        return cell(stands["epoch"], 0, {to: detail})
    # Who resolves takes it for a side of a conflict.
    if seen is None and not resolve:
        return {**stands, "statuses": {**statuses, to: detail}}
    if list(statuses) != [seen]:
        raise Refused("conflict", shown(stands))
    return turned


def reopen(store, fields):
    to, reason = status(fields, "to"), reason_of(fields)

    def decide(state, stands):
        if not reason:
            raise Refused("needs_reason")
        if not stands:
            raise Refused("not_found")
        state["last"] += 1
        return cell(max(state["last"], stands["epoch"] + 1), 0, {to: None})

    return move(store, fields, decide)


def get(store, fields):
    task = identifier(fields, "task")
    with store:
        stands = store.load()["tasks"].get(task)
    if not stands:
        raise Refused("not_found")
    return shown(stands)


def merge(store, fields):
    epoch, turn, names = number(fields, "epoch"), number(fields, "turn"), fields.get("statuses")
    details = fields.get("details") or {}
    known = isinstance(names, list) and names and all(isinstance(name, str) and name in RANKS for name in names)
    if not known or len(set(names)) != len(names) or len({RANKS[name] for name in names}) != 1:
        raise Invalid("`statuses` is not an array of known statuses of one rank, each once")
    if not isinstance(details, dict) or not set(details) <= set(names):
        raise Invalid("`details` is not an object with details of these statuses")
    other = cell(epoch, turn, {name: detail_of(details.get(name), store.size) for name in names})

    def decide(_, stands):
        value = other if not stands else joined(stands, other)
        return None if value == stands else value

    return move(store, fields, decide)


def joined(one, two):
    def place(value):
        return value["epoch"], rank(value), value["turn"]

    if place(one) != place(two):
        return max(one, two, key=place)
    statuses = dict(one["statuses"])
    for name, detail in two["statuses"].items():
        # Of two details the greater text stays; none is below every text.
        statuses[name] = max(statuses.get(name), detail, key=text_of)
    return {**one, "statuses": statuses}


def text_of(detail):
    return "" if detail is None else json.dumps(detail, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


OPS = {
    "lease.grant": grant,
    "lease.close": close,
    "lease.crash": crash,
    "lease.clear": clear,
    "lease.show": show,
    "lease.list": list_leases,
    "status.set": set_status,
    "status.reopen": reopen,
    "status.get": get,
    "status.merge": merge,
}
