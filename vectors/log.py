#!/usr/bin/env python3
"""log.py read FILE | log.py append FILE RECORD [WORKSPACE]: a log as fencehold reads it and appends to it.

`read` prints a JSON object. `append` takes the log's OS lock below WORKSPACE (fencehold/ in git's common directory where
left out) and ends with 0 appended, 1 guarded: use fencehold, 2 not appended, 3 perhaps appended."""
import fcntl, json, os, subprocess, sys, time, zlib

def fail(code, why): sys.exit((print(f"log.py: {why}", file=sys.stderr), code)[1])
def refuse(why): raise ValueError(why)
def parse(line, first=False):
    """The record of a line without its newline, None where it is blank; ValueError where it is damaged."""
    text = line.decode().removeprefix("\ufeff" if first else "")
    if len(line) > 512 * 1024 or "\0" in text: refuse("too long, or NUL bytes")
    record = json.loads(text, parse_constant=refuse) if text.strip() else None
    fits = record is None if not text.strip() else isinstance(record, dict) and isinstance(record.get("id"), str)
    return record if fits else refuse("no object with a string id")

def read(path):
    *lines, tail = open(path, "rb").read().split(b"\n") if os.path.exists(path) else [b""]
    records, damaged, seen, twice = [], [], set(), set()
    for number, line in enumerate(lines, 1):
        try: record = parse(line, number == 1)
        except (ValueError, RecursionError): damaged.append(number)
        else:
            if record: records.append(record), (twice if record["id"] in seen else seen).add(record["id"])
    told = {"records": records, "damaged": damaged, "duplicates": sorted(twice), "unterminated_bytes": len(tail)}
    print(json.dumps(told))

def lock(path, folder, workspace):
    name, at, doc = os.path.basename(path).encode(), os.stat(folder), os.path.join(workspace, "doc")
    key = "".join(chr(b) if b < 128 and chr(b).isalnum() or b in b"._-" else f"%{b:02x}" for b in name)
    key = f"{key[:75]}~{zlib.crc32(name):08x}~{len(name)}" if len(key) > 100 else key
    key = os.path.join(doc, f"{at.st_dev}-{at.st_ino}-{key}")
    file, until = os.open(key, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, os.stat(doc).st_mode & 0o666), time.monotonic() + 10
    while True:
        try: fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB); break
        except BlockingIOError: time.sleep(0.001) if time.monotonic() < until else fail(2, f"{key} is held")
    if os.stat(key).st_ino != os.fstat(file).st_ino: fail(2, f"{key} was replaced; try again")
    if os.pread(file, 2048, 0).strip(b"\0"): fail(1, f"{path} is guarded: `fencehold log append --fence`")

def append(path, text, workspace=None):
    line, folder = text.strip().encode(), os.path.realpath(os.path.dirname(path) or ".")
    try: good = b"\n" not in line and (parse(line) or {}).get("id", "").strip()
    except ValueError: good = False
    if not good: fail(2, "a record is an object with an id, on one line")
    ask = ["git", "-C", folder, "rev-parse", "--path-format=absolute", "--git-common-dir"]
    os.umask(0)
    lock(path, folder, workspace or os.path.join(subprocess.check_output(ask, text=True).strip(), "fencehold"))
    mode = os.stat(folder).st_mode & 0o664 | 0o600
    log = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, mode)
    for _ in range(16):  # A program without the lock may leave half a line just before ours.
        size = os.fstat(log).st_size
        torn = size > 0 and os.pread(log, 1, size - 1) != b"\n"
        whole = b"\n" * torn + line + b"\n"
        if os.write(log, whole) < len(whole): fail(3, "the disk took only a part of it")
        if line in os.pread(log, 1 << 26, size).split(b"\n")[torn:]: break
    else: fail(3, "another program keeps writing half lines")
    os.fsync(log), os.fsync(os.open(folder, os.O_RDONLY))

if __name__ == "__main__": {"read": read, "append": append}[sys.argv[1]](*sys.argv[2:])
