#!/usr/bin/env node
// log.js read FILE | log.js append FILE RECORD [WORKSPACE]: a log as fencehold reads it and appends to it.
//
// `read` prints a JSON object. `append` ends with 0 appended, 1 guarded: use fencehold, 2 not appended, 3 perhaps appended.
// node has no flock(2): where flock(1) is installed it takes the log's OS lock below WORKSPACE (fencehold/ in git's common
// directory where left out) and runs this again; where not, this is one more program without the lock, and says so.
const fs = require('fs'), path = require('path'), { spawnSync } = require('child_process');
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const fail = (code, why) => { console.error(`log.js: ${why}`); process.exit(code); };
function parse(line, first) { // The record of a line without its newline, null where it is blank; throws where it is damaged.
  const text = utf8.decode(line).slice(first && line[0] === 0xef && line[1] === 0xbb ? 1 : 0);
  if (line.length > 512 * 1024 || text.includes('\0')) throw Error('too long, or NUL bytes');
  const record = /^\s*$/.test(text) ? null : JSON.parse(text);
  if (record !== null ? typeof record.id !== 'string' || Array.isArray(record) : !/^\s*$/.test(text)) throw Error('no string id');
  return record;
}
function split(bytes) { // At each newline; what is behind the last one comes last.
  const lines = [];
  for (let at = 0, end; ; at = end + 1) {
    end = bytes.indexOf(10, at);
    lines.push(bytes.subarray(at, end < 0 ? bytes.length : end));
    if (end < 0) return lines;
  }
}
function read(file) {
  const lines = split(fs.existsSync(file) ? fs.readFileSync(file) : Buffer.alloc(0)), tail = lines.pop();
  const records = [], damaged = [], seen = new Set(), twice = new Set();
  lines.forEach((line, at) => {
    try { const record = parse(line, at === 0); if (record) { records.push(record); (seen.has(record.id) ? twice : seen).add(record.id); } } catch { damaged.push(at + 1); }
  });
  console.log(JSON.stringify({ records, damaged, duplicates: [...twice].sort(), unterminated_bytes: tail.length }));
}
function append(file, text, workspace) {
  const line = Buffer.from(text.trim()), folder = fs.realpathSync(path.dirname(file)), at = fs.statSync(folder, { bigint: true });
  try { if (line.includes(10) || !parse(line).id.trim()) throw 0; } catch { fail(2, 'a record is an object with an id, on one line'); }
  const git = () => spawnSync('git', ['-C', folder, 'rev-parse', '--path-format=absolute', '--git-common-dir']).stdout.toString().trim();
  const doc = path.join(workspace || path.join(git(), 'fencehold'), 'doc'), name = Buffer.from(path.basename(file));
  const crc = () => (~name.reduce((sum, byte) => { for (sum ^= byte, byte = 8; byte--;) sum = (sum >>> 1) ^ (0xedb88320 & -(sum & 1)); return sum; }, ~0) >>> 0).toString(16).padStart(8, '0');
  let key = [...name].map((b) => (/[\w.-]/.test(String.fromCharCode(b)) ? String.fromCharCode(b) : `%${b.toString(16).padStart(2, '0')}`)).join('');
  if (key.length > 100) key = `${key.slice(0, 75)}~${crc()}~${name.length}`;
  const lock = path.join(doc, `${at.dev}-${at.ino}-${key}`);
  process.umask(0), fs.closeSync(fs.openSync(lock, 'a', fs.statSync(doc).mode & 0o666));
  if (process.env.LOG_JS_HOLDS !== lock) { // The child is run with the lock held, and gives its own exit code.
    const child = spawnSync('flock', ['-w', '10', '-E', '75', lock, process.execPath, ...process.argv.slice(1)], { stdio: 'inherit', env: { ...process.env, LOG_JS_HOLDS: lock } });
    if (!child.error) return child.status === 75 ? fail(2, `${lock} is held`) : process.exit(child.status ?? 3);
    console.error('log.js: there is no flock(1), so this was appended without the lock');
  }
  if (fs.readFileSync(lock).some((byte) => byte !== 0)) fail(1, `${file} is guarded: \`fencehold log append --fence\``);
  const log = fs.openSync(file, fs.constants.O_RDWR | fs.constants.O_APPEND | fs.constants.O_CREAT | fs.constants.O_NOFOLLOW, (Number(at.mode) & 0o664) | 0o600);
  for (let tries = 0, whole; ; tries++) { // A program without the lock may leave half a line just before ours.
    const size = fs.fstatSync(log).size, last = Buffer.alloc(1), torn = size > 0 && (fs.readSync(log, last, 0, 1, size - 1), last[0] !== 10);
    if (fs.writeSync(log, (whole = Buffer.concat([Buffer.from(torn ? '\n' : ''), line, Buffer.from('\n')]))) < whole.length) fail(3, 'the disk took only a part of it');
    const behind = Buffer.alloc(fs.fstatSync(log).size - size);
    if (split(behind.subarray(0, fs.readSync(log, behind, 0, behind.length, size))).slice(torn ? 1 : 0).some((it) => it.equals(line))) break;
    if (tries === 16) fail(3, 'another program keeps writing half lines');
  }
  fs.fsyncSync(log), fs.fsyncSync(fs.openSync(folder, 'r'));
}

({ read, append })[process.argv[2]](...process.argv.slice(3));
