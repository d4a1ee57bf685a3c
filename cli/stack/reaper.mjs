// The watchdog of a launcher: ends every process group the launcher has started when the launcher itself is gone,
// however it went (SIGKILL included). It runs in a session of its own and learns of the launcher's end by its
// standard input closing. Plain JavaScript: it must start fast and work whether or not the project is compiled.
//
// Input, one JSON object a line:
//   {"watch":{"pid":n,"startedAt":ticks,"stage":n}}  a process that leads a group; lower stages are ended first
//   {"forget":pid}                                   it was ended properly
//   {"mark":"NAME=value"}                            environment entry that every process of this launcher carries
//   {"file":path} {"unfile":path}                    a file to remove (not to remove) after the launcher's death
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

const POLL_MS = 50;
/** How long a stage may take to end by itself: programs drain, servers flush to disk. */
const STAGE_PATIENCE_MS = [10_000, 25_000, 3_000];

const watched = new Map();
const files = new Set();
let mark;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGPIPE']) process.on(signal, () => {});

const handlers = {
  watch: (entry) => watched.set(entry.pid, entry),
  forget: (pid) => watched.delete(pid),
  mark: (value) => {
    mark = value;
  },
  file: (path) => files.add(path),
  unfile: (path) => files.delete(path),
};

const lines = createInterface({ input: process.stdin });
process.stdin.on('error', () => lines.close());
lines.on('line', (line) => {
  for (const [key, value] of Object.entries(JSON.parse(line))) handlers[key]?.(value);
});
lines.on('close', () => {
  endAll().finally(() => process.exit(0));
});

async function endAll() {
  for (const [stage, patience] of STAGE_PATIENCE_MS.entries()) {
    await endGroups(() => groupsOfStage(stage), patience);
  }
  // Children that left their group (Erlang's helpers do), and one spawned in the instant the launcher died.
  await endGroups(() => [...processes()].filter(carriesMark).map((one) => one.group), 2_000);
  for (const path of files) rmSync(path, { force: true });
}

function groupsOfStage(stage) {
  const wanted = [...watched.values()].filter((entry) => entry.stage === stage).filter(isStillOurs);
  const groups = new Set(wanted.map((entry) => entry.pid));
  if (process.platform !== 'linux') return [...groups].filter((group) => signalGroup(group, 0));
  return [...new Set([...processes()].map((one) => one.group).filter((group) => groups.has(group)))];
}

/** False when the leader's id belongs to a process that started later; a dead leader's group is still ours. */
function isStillOurs({ pid, startedAt }) {
  const now = processOf(pid);
  return now === undefined || now.startedAt === startedAt;
}

async function endGroups(living, patience) {
  for (const [signal, time] of [
    ['SIGTERM', patience],
    ['SIGKILL', 2_000],
  ]) {
    const deadline = Date.now() + time;
    for (const group of living()) signalGroup(group, signal);
    while (living().length > 0 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
}

function signalGroup(group, signal) {
  try {
    return process.kill(-group, signal);
  } catch {
    return false; // it ended meanwhile
  }
}

function* processes() {
  if (process.platform !== 'linux') return;
  for (const name of readdirSync('/proc')) {
    const one = /^\d+$/.test(name) ? processOf(Number(name)) : undefined;
    if (one && one.pid !== process.pid) yield one;
  }
}

/** A living process from /proc; undefined when there is none (a zombie is none). */
function processOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, , group, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' || state === 'X'
      ? undefined
      : { pid, group: Number(group), startedAt: Number(rest[16]) };
  } catch {
    return undefined;
  }
}

function carriesMark({ pid }) {
  if (!mark) return false;
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(mark);
  } catch {
    return false; // another user's process: none of ours
  }
}
