// A worker of the npm package proper-lockfile, by the same words as the workers in Rust: one JSON argument, `ready`,
// `go`, one JSON line. The JSON file is read, changed, written beside, synced, renamed, and its folder synced.
'use strict';

const fs = require('fs');
const path = require('path');
const lockfile = require('proper-lockfile');

const task = JSON.parse(process.argv[2]);
const at = (name) => path.join(task.dir, name);
const record = 'r'.repeat(Math.max(1, task.record_bytes - 1));
// Without retries the package gives up at once; these are for as short a wait as its own timers allow.
const options = { retries: { retries: 8, forever: true, factor: 2, minTimeout: 1, maxTimeout: 10, maxRetryTime: 5000 } };
// A name of its own for each process: if the lock let two in, an update would be lost, and would be counted.
const TEMP = at(`state.${process.pid}.new`);
const RECENT = 64;

function syncFolder() {
  const fd = fs.openSync(task.dir, 'r');
  fs.fsyncSync(fd);
  fs.closeSync(fd);
}

function replace(state) {
  const fd = fs.openSync(TEMP, 'w', 0o644);
  fs.writeSync(fd, JSON.stringify(state));
  fs.fsyncSync(fd);
  fs.closeSync(fd);
  fs.renameSync(TEMP, at('state.json'));
  syncFolder();
}

function count(state) {
  state.count += 1;
  replace(state);
}

const read = () => JSON.parse(fs.readFileSync(at('state.json'), 'utf8'));

const inside = {
  commit() {
    const state = read();
    state.recent[state.count % RECENT] = record;
    count(state);
  },
  lock() {},
  'lock-1ms'() {
    const until = process.hrtime.bigint() + BigInt(task.work_us) * 1000n;
    while (process.hrtime.bigint() < until);
  },
  log() {
    const fd = fs.openSync(at('records.ndjson'), 'a');
    fs.writeSync(fd, record + '\n');
    fs.fdatasyncSync(fd);
    fs.closeSync(fd);
  },
  counter() {
    count(read());
  },
}[task.workload];

// Three digits, as everybody's latencies.
function rounded(ns) {
  const unit = Math.pow(10, Math.max(0, Math.floor(Math.log10(Math.max(1, ns))) - 2));
  return Math.round(ns / unit) * unit;
}

const said = { within: 0, acked: 0, unsure: 0, gave_up: 0 };
const latency = new Map();

async function once() {
  let release;
  try {
    release = await lockfile.lock(at('the.lock'), options);
  } catch (error) {
    if (error.code !== 'ELOCKED') throw error;
    said.gave_up += 1;
    return false;
  }
  inside();
  await release();
  said.acked += 1;
  return true;
}

async function main() {
  await once();
  process.stdout.write('ready\n');
  const word = Buffer.alloc(16);
  const length = fs.readSync(0, word, 0, word.length, null);
  if (word.toString('utf8', 0, length).trim() !== 'go') return;
  const begun = process.hrtime.bigint();
  const window = BigInt(task.window_ms) * 1000000n;
  let now = begun;
  while (now - begun < window) {
    const done = await once();
    const ended = process.hrtime.bigint();
    const ns = rounded(Number(ended - now));
    latency.set(ns, (latency.get(ns) || 0) + 1);
    if (done && ended - begun <= window) said.within += 1;
    now = ended;
  }
  process.stdout.write(JSON.stringify({ ...said, latency: [...latency] }) + '\n');
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
});
