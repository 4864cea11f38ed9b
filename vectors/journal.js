#!/usr/bin/env node
// journal.js FILE: the revisions of a journal file, up to the first line that is damaged; nobody but fencehold writes one.
const fs = require('fs');

function crc(bytes) { // CRC-32, IEEE 802.3.
  let sum = ~0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (0xedb88320 & -(sum & 1));
  }
  return (~sum >>> 0).toString(16).padStart(8, '0');
}

function read(file) {
  const bytes = fs.readFileSync(file), revisions = [];
  for (let at = 0, number = 1, before = '', end; ; at = end + 1, number++) {
    end = bytes.indexOf(10, at);
    const unterminated_bytes = bytes.length - (bytes.lastIndexOf(10) + 1);
    if (end < 0) return { revisions, damaged: null, unterminated_bytes };
    const line = bytes.subarray(at, end);
    let value = {};
    try { value = JSON.parse(line.toString()) ?? {}; } catch { /* Its checksum is wrong, too. */ }
    if (number === 1) before = crc(Buffer.from(`${value.workspace}/${value.n}`));
    const own = crc(line.subarray(0, -18));
    if (line.subarray(-18).toString() !== `,"crc":"${own}"}` || value.prev !== before) return { revisions, damaged: number, unterminated_bytes };
    revisions.push(value.rev ?? value.revision);
    before = own;
  }
}

console.log(JSON.stringify(read(process.argv[2])));
