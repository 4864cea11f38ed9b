#!/usr/bin/env python3
"""journal.py FILE: the revisions of a journal file, up to the first line that is damaged; nobody but fencehold writes one."""
import json, sys, zlib

def read(path):
    *lines, tail = open(path, "rb").read().split(b"\n")
    revisions, before = [], 0
    for number, line in enumerate(lines, 1):
        try: value = json.loads(line)
        except ValueError: value = {}
        if number == 1: before = zlib.crc32(f"{value.get('workspace')}/{value.get('n')}".encode())
        own = zlib.crc32(line[:-18])
        if line[-18:] != b',"crc":"%08x"}' % own or value.get("prev") != f"{before:08x}":
            return {"revisions": revisions, "damaged": number, "unterminated_bytes": len(tail)}
        revisions, before = revisions + [value.get("rev", value.get("revision"))], own
    return {"revisions": revisions, "damaged": None, "unterminated_bytes": len(tail)}

if __name__ == "__main__": print(json.dumps(read(sys.argv[1])))
