import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { ORIGIN } from '../../engine/domain/position.ts';
import { readEntriesAfter } from '../../engine/redis/journal-stream.ts';
import { KEYS } from '../../engine/redis/keys.ts';
import { systemClock } from '../../engine/runtime/clock.ts';
import { applyEntries } from '../../writer/apply.ts';
import { reconcile } from '../../writer/reconcile/reconcile.ts';
import { recover } from '../../writer/recovery/recover.ts';
import { emptyTables, useDatabase, useRedis } from '../fixtures/servers.ts';
import { Book } from './book.ts';
import { type Command, history } from './commands.ts';
import { makeCall } from './script-calls.ts';
import { readWholeState, type WholeState } from './whole-state.ts';

/**
 * Strategy: random histories of everything that changes something, as in scripts.test.ts; then all of Redis's data is
 * lost, or some of it, or none, and what is rebuilt from MariaDB and the journal is compared with what was there.
 *
 * Invariant: whatever a script reads is as it was (P6), and reconcile finds no drift. SIMULATION_HISTORY_SEED replays a
 * failure, SIMULATION_RUNS says how many histories.
 */
const redis = useRedis();
const maria = useDatabase();
const RUNS = Number(process.env.SIMULATION_RUNS ?? 40);
const SEED = process.env.SIMULATION_HISTORY_SEED;
const FIRST_MS = 1_700_000_000_000;
const ALL = 1_000_000;
const needs = { appendfsync: 'always' } as const;

/** What of Redis is lost after the history, and how much of the journal MariaDB has by then, in percent. */
const loss = fc.record({
  what: fc.constantFrom('everything', 'every level', 'nothing'),
  drained: fc.integer({ min: 0, max: 100 }),
});

beforeEach(async () => {
  await redis.client.flushall();
});

test(
  `P6: what is rebuilt is what was there (${RUNS} histories)`,
  async () => {
    const seed = SEED ? { seed: Number(SEED) } : {};
    await fc.assert(fc.asyncProperty(history, loss, play), { ...seed, numRuns: RUNS });
  },
  (60 + 2 * RUNS) * 1_000,
);

async function play(commands: readonly Command[], { what, drained }: { what: string; drained: number }) {
  await redis.client.flushall();
  await redis.client.set(KEYS.epoch, 1);
  await emptyTables(maria.database);
  await playHistory(commands);
  const before = await readWholeState(redis.client);
  const entries = await readEntriesAfter(redis.client, ORIGIN, { count: ALL });
  if (entries.length === 0) return;
  const isAll = what === 'everything';
  const applied = entries.slice(0, isAll ? entries.length : Math.floor((drained / 100) * entries.length));
  if (applied.length > 0) await applyEntries(maria.database, { ...ORIGIN, fence: 0 }, applied);
  if (isAll) await redis.client.flushall();
  if (what === 'every level') await redis.client.del(KEYS.levels);

  const { redis: client, database } = { redis: redis.client, database: maria.database };
  const recovery = await recover({ redis: client, database, clock: systemClock, needs, acceptLoss: false });

  expect(recovery).toMatchObject({ epoch: 2, isLossKnown: false });
  expect(await reconcile({ redis: client, database, clock: systemClock })).toMatchObject({ drifts: [] });
  const after = await readWholeStateOfEpoch();
  expect(whatScriptsRead(after)).toEqual(whatScriptsRead(before));
  expectRecordsKept(before, after);
  expect(after.marks).toEqual([]);
}

/** But no trimming: the histories trim what no MariaDB has. */
async function playHistory(commands: readonly Command[]): Promise<void> {
  let at = FIRST_MS;
  let state = await readWholeState(redis.client);
  const book = new Book(state);
  for (const [index, command] of commands.entries()) {
    at += command.waitMs;
    if (!isSensible(command, state)) continue;
    const call = book.toCall(asTheEngine(command), at);
    if (!call || call.script === 'trim-journal') continue;
    await makeCall(redis.client, call, index + 1);
    state = await readWholeState(redis.client);
    book.learn(state);
  }
}

/** The engine opens no event that is open, closes none that is not, and rewrites none that is open; the script would. */
function isSensible(command: Command, { offers }: WholeState): boolean {
  if (command.script !== 'change-event') return true;
  const isOpen = offers.some(([, offer]) => offer.event === command.event);
  return isOpen === (command.action === 'close');
}

/** The engine holds for whole seconds, which is what MariaDB keeps, and closes what it has opened. */
function asTheEngine(command: Command): Command {
  if (command.script !== 'change-event') return command;
  return { ...command, holdMs: command.holdMs * 1_000, isFitting: true };
}

/** The journal's one entry is that of the recovery, which is no entry of the simulation. */
async function readWholeStateOfEpoch(): Promise<WholeState> {
  const [entry, ...others] = await readEntriesAfter(redis.client, ORIGIN, { count: ALL });
  expect(entry).toMatchObject({ kind: 'recovery', position: { epoch: 2, sequence: 0 } });
  expect(others).toEqual([]);
  await redis.client.xdel(KEYS.journal, '2-0');
  return await readWholeState(redis.client);
}

/** Counts of closed events are read by nobody, and so is whose they were; wishlists are a set of lines. */
function whatScriptsRead(state: WholeState) {
  const { levels, prices, holds, offers, events } = state;
  const open = new Set(offers.map(([, offer]) => `1-${offer.opened}`));
  const openingOf = (field: string) => field.slice(0, field.indexOf('\0'));
  return {
    ...{ levels, prices, holds, offers, events },
    // The histories leave details out that the engine always writes.
    names: state.details.map(([sku, text]) => [sku, JSON.parse(text).name]),
    counts: state.counts.filter(([field]) => open.has(openingOf(field))),
    held: state.held.map(([place, record]) => [place, (record as { lines: unknown }).lines]),
    wishlists: state.wishlists.map(([user, lines]) => [user, new Set(lines as unknown[])]),
  };
}

function expectRecordsKept(before: WholeState, after: WholeState): void {
  const kept = new Map(after.records.flat());
  for (const [scope, record] of before.records.flat()) expect(kept.get(scope)).toBe(record);
}
