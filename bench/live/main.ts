import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { openGround } from '../ground/ground.ts';
import { describeCommit, describeMachine } from '../machine.ts';
import { type LiveSettings, type LiveSlice, ratiosOf } from './live-result.ts';
import { LiveRun } from './live-run.ts';

/**
 * What clients that watch live stock cost those who order: the same load with none and with many, in turn, at full speed and at a
 * fixed rate. All of it on one machine, the clients too. `npm run bench:live -- --clients 5000`; `ulimit -n` must be
 * above the number of clients.
 */
const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '5000' },
    items: { type: 'string', default: '10' },
    writes: { type: 'string', default: '5000' },
    connections: { type: 'string', default: '256' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    'warm-up': { type: 'string', default: '2' },
    rate: { type: 'string', default: '4000' },
    data: { type: 'string', default: tmpdir() },
  },
});

const settings: LiveSettings = {
  clients: read('clients'),
  items: read('items'),
  writesPerSecond: read('writes'),
  connections: read('connections'),
  rounds: read('rounds'),
  seconds: read('seconds'),
  warmUpSeconds: read('warm-up'),
  ratePerSecond: read('rate'),
};

const ground = await openGround(values.data);
try {
  const run = await LiveRun.open(settings, ground);
  try {
    const slices = await measureAll(run);
    const books = await run.checkBooks();
    const [free, fixed] = [true, false].map((isFree) =>
      slices.filter(({ ratePerSecond }) => (ratePerSecond === null) === isFree),
    ) as [LiveSlice[], LiveSlice[]];
    const ratios = { atFullSpeed: ratiosOf(free), atFixedRate: ratiosOf(fixed) };
    const machine = describeMachine(values.data);
    const result = { commit: describeCommit(), machine, settings, ratios, books, slices };
    process.stdout.write(`${JSON.stringify(result, null, 1)}\n`);
    if (books.answered !== books.kept || books.drifts > 0) process.exitCode = 1;
  } finally {
    await run.close();
  }
} finally {
  await ground.close();
}

/** Without and with clients next to each other, first the one and then the other, so that what drifts hits both. */
async function measureAll(run: LiveRun): Promise<LiveSlice[]> {
  const slices: LiveSlice[] = [];
  for (let round = 0; round < settings.rounds; round += 1)
    for (const rate of [null, settings.ratePerSecond])
      for (const clients of round % 2 === 0 ? [0, settings.clients] : [settings.clients, 0]) {
        const slice = await run.slice(clients, rate);
        process.stderr.write(`${JSON.stringify(slice)}\n`);
        slices.push(slice);
      }
  return slices;
}

function read(name: Exclude<keyof typeof values, 'data'>): number {
  if (/^[1-9]\d{0,7}$/.test(values[name])) return Number(values[name]);
  throw new Error(`--${name} is wrong: "${values[name]}" is not a whole number above 0`);
}
