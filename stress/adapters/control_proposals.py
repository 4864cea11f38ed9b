"""Proposals of the control: a dictionary in its state file, and sections at the end of the files that they are for.

A section begins with a line that names the proposal. It is in the file before the state says so: who finds the line there,
under the flock, knows that an accept was killed between the two, and says it first.
"""

import hashlib
import os

from control_fields import Invalid, Refused, identifier, optional, text

CONTENT_BYTES_MAX = 32 * 1024
MARKER = "<!-- control accepted "
PAGE = 500


def path_of(store, fields):
    """The name of the file, as it counts, and its real path."""
    path = store.file({"file": text(fields, "target")})
    return os.path.relpath(path, store.root), path


def content_of(fields):
    content = text(fields, "content")
    if not content.strip() or len(content.encode()) > CONTENT_BYTES_MAX or MARKER in content:
        raise Invalid("`content` is blank, too long, or has a line that the control writes itself")
    return content


def digest(content):
    return hashlib.sha256(content.encode()).hexdigest()


def marker(name):
    return f"{MARKER}{digest(name)[:32]} -->"


def load_prose(path):
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError:
        raise Invalid(f"{path} is no prose: it is not UTF-8") from None


def store_prose(store, path, prose):
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name}.control-new")
    with open(temporary, "w", encoding="utf-8", newline="") as file:
        file.write(prose)
        file.flush()
        os.fsync(file.fileno())
    store.touched = True
    os.rename(temporary, path)
    store.sync_folder(folder)


def settled(store, fields):
    """The state, the proposals for the file, and its path; what is in the file is accepted by then. Under the flock."""
    name, path = path_of(store, fields)
    state = store.load()
    known = state.setdefault("proposals", {}).setdefault(name, {})
    lines = load_prose(path).splitlines()
    done = [one for key, one in known.items() if one["state"] == "proposed" and marker(key) in lines]
    for one in done:
        end(one, "accepted")
    if done:
        # Whoever renamed it may have been killed before the folder was synced.
        store.sync_folder(os.path.dirname(path))
        store.save(state)
    return state, known, path


def end(one, how):
    one["state"] = how
    one.pop("content", None)


def told(one, already):
    return {"state": one["state"], "already": already}


def add(store, fields):
    key, content = identifier(fields, "proposal"), content_of(fields)
    with store:
        state, known, _ = settled(store, fields)
        one = known.get(key)
        if one is None:
            known[key] = one = {"state": "proposed", "digest": digest(content), "content": content}
            store.save(state)
            return told(one, False)
        if one["digest"] != digest(content):
            raise Refused("conflict", {"state": one["state"]})
        return told(one, True)


def ended(store, fields, how):
    key = identifier(fields, "proposal")
    if how == "rejected":
        optional(text, fields, "reason")
    elif fields.get("fence") is not None:
        raise Invalid("no fence is looked at here")
    with store:
        state, known, path = settled(store, fields)
        one = known.get(key)
        if one is None:
            raise Refused("not_found")
        if one["state"] == how:
            return told(one, True)
        if one["state"] != "proposed":
            raise Refused("not_open", {"state": one["state"]})
        if how == "accepted":
            prose = load_prose(path)
            before = prose + "\n" * (bool(prose) and not prose.endswith("\n"))
            store_prose(store, path, f"{before}\n{marker(key)}\n{one['content']}\n")
        end(one, how)
        store.save(state)
        return told(one, False)


def accept(store, fields):
    return ended(store, fields, "accepted")


def reject(store, fields):
    return ended(store, fields, "rejected")


def listed(store, fields):
    after = optional(identifier, fields, "after")
    with store:
        _, known, _ = settled(store, fields)
    keys = list(known)
    if after is not None and after not in known:
        raise Invalid(f"`after` is {after!r}, which nobody proposed")
    begin = keys.index(after) + 1 if after is not None else 0
    page = keys[begin : begin + PAGE]
    value = {"proposals": [{"proposal": key, "state": known[key]["state"]} for key in page]}
    if begin + PAGE < len(keys):
        value["next"] = page[-1]
    return value


OPS = {"proposal.add": add, "proposal.accept": accept, "proposal.reject": reject, "proposal.list": listed}
