import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KEYS } from '../../engine/redis/keys.ts';
import { useRedis } from '../fixtures/servers.ts';
import { Book } from './book.ts';
import { circumstancesOf } from './circumstances.ts';
import { history } from './commands.ts';
import { expectAtMostOnceAKey, expectEveryStepOnce, expectUnitsKept } from './fold-checks.ts';
import { expectLimitsKept } from './limit-checks.ts';
import { ask, type Told } from './model/model.ts';
import type { OrderTold } from './model/orders.ts';
import { levelField, ModelState } from './model/state.ts';
import type { Call } from './script-arguments.ts';
import { makeCall } from './script-calls.ts';
import { readWholeState, stateOfModel, type WholeState } from './whole-state.ts';

/**
 * Strategy: random histories of everything that changes something (`commands.ts`), mixed in one run, on a real Redis and
 * on a plain model in memory (`model/`), at a clock of the history's own.
 *
 * Invariants after every call, a test each: what is told and the whole state are the model's; and without asking the
 * model: no unit is lost or made (P1); an order takes every line or none (P2); the same bytes sent again change
 * nothing, a key leads to one thing, an order takes each step of its life once (P4); the journal keeps what is not
 * committed (P5). A failure prints the seed; SIMULATION_HISTORY_SEED replays it, SIMULATION_RUNS says how many histories
 * (the model plays three times as many: some of what it must see is rare).
 */
const redis = useRedis();
const RUNS = Number(process.env.SIMULATION_RUNS ?? 40);
const SEED = process.env.SIMULATION_HISTORY_SEED;
/** The smallest history that fails is worth its time to people, not where a failure is all that is asked for. */
const SHRINKS = process.env.SIMULATION_SHRINK !== 'no';
const SECONDS = 60 + RUNS;
const FIRST_MS = 1_700_000_000_000;

const WORTH_MEETING = {
  'place-orders': [
    ...['accepted', 'replayed', 'mismatch', 'out_of_stock', 'unknown_product', 'empty_wishlist'],
    ...['limited', 'price_changed', 'within a limit', 'without a limit'],
    ...['before its event', 'after its event', 'several holds', 'mixed hold'],
  ],
  'settle-orders': [
    ...['done', 'already', 'impossible', 'again', 'replayed', 'mismatch', 'back to its pool', 'counted down'],
    ...['stray of a closed event', 'stray of a reopened event'],
  ],
  'expire-holds': ['back to its pool', 'counted down'],
  'change-event': [
    ...['changed', 'conflict', 'taken', 'unknown_product', 'replayed', 'mismatch'],
    ...['opened with less', 'closed', 'untimely', 'short'],
  ],
  'adjust-stock': ['adjusted', 'replayed', 'mismatch', 'out_of_stock'],
  'rotate-idempotency': ['0', '1'],
};

/** What one call did: the whole state before and after it, and what its reply tells. */
interface Step {
  readonly call: Call;
  readonly before: WholeState;
  readonly after: WholeState;
  readonly told: Told;
  readonly book: Book;
  /** Sends the very same bytes once more. */
  readonly again: () => Promise<Told>;
}

type Check = (step: Step) => void | Promise<void>;

/** Plays random histories; `open` gives, for each, the check of its steps. */
async function forEveryStep(numRuns: number, open: () => Check): Promise<void> {
  const play = async (commands: Parameters<typeof playHistory>[0]) => playHistory(commands, open());
  const seed = SEED ? { seed: Number(SEED) } : {};
  const parameters = { ...seed, numRuns, verbose: 0 as const, endOnFailure: !SHRINKS };
  await fc.assert(fc.asyncProperty(history, play), parameters);
}

async function playHistory(
  commands: typeof history extends fc.Arbitrary<infer Commands> ? Commands : never,
  check: Check,
) {
  await redis.client.flushall();
  await redis.client.set(KEYS.epoch, 1);
  let [at, before] = [FIRST_MS, await readWholeState(redis.client)];
  const book = new Book(before);
  for (const [index, command] of commands.entries()) {
    at += command.waitMs;
    const call = book.toCall(command, at);
    if (!call) continue;
    const again = () => makeCall(redis.client, call, index + 1);
    const told = await again();
    const after = await readWholeState(redis.client);
    book.learn(after);
    await check({ call, before, after, told, book, again });
    before = after;
  }
}

function forHistories(name: string, open: () => Check, runs = RUNS): void {
  test(`${name} (${runs} histories)`, () => forEveryStep(runs, open), SECONDS * 1_000);
}

/** What the histories came upon, how often: a model that is never asked the hard questions proves nothing. */
const met = new Map<string, number>();

function note(step: Step): void {
  const { script } = step.call;
  const kinds = step.told.outcomes.map(
    (outcome) => (outcome as { kind?: string } | null)?.kind ?? String(outcome),
  );
  for (const kind of [...kinds, ...circumstancesOf(step, step.before, step.after)])
    met.set(`${script} ${kind}`, (met.get(`${script} ${kind}`) ?? 0) + 1);
}

forHistories(
  'P1, P2, P4: the scripts do what the plain model does, whole state compared',
  () => {
    const model = new ModelState();
    return (step) => {
      const { call, told, after } = step;
      note(step);
      expect(told).toEqual(ask(model, call));
      expect(after).toEqual(stateOfModel(model));
    };
  },
  3 * RUNS,
);

test('those histories came upon everything that can be told', () => {
  for (const [script, kinds] of Object.entries(WORTH_MEETING))
    for (const kind of kinds)
      expect(met.get(`${script} ${kind}`) ?? 0, `${script} ${kind}`).toBeGreaterThan(0);
});

forHistories('P1: units loaded and adjusted = units available + units in live orders, never negative', () => {
  return ({ after, book }) => expectUnitsKept(book.entries, after.levels);
});

forHistories('P1: nobody ever has more than the limit of an event, and Redis counts what they have', () => {
  return ({ after, book }) => expectLimitsKept(book.entries, after.counts);
});

forHistories('P2: an order takes each of its lines or leaves everything as it was', () => {
  return ({ call, before, after, told }) => {
    if (call.script !== 'place-orders') return;
    const levels = new Map(before.levels);
    for (const outcome of told.outcomes as OrderTold[]) {
      if (outcome.kind !== 'accepted') continue;
      for (const { sku, quantity, eventId } of outcome.lines)
        levels.set(levelField(sku, eventId), levels.get(levelField(sku, eventId))! - quantity);
    }
    expect(after.levels).toEqual([...levels]);
  };
});

forHistories(
  'P1, P4: an order takes each step of its life once, in time, and gives back what it took',
  () => {
    return ({ book }) => expectEveryStepOnce(book.entries);
  },
);

forHistories('P4: the same bytes again give the same reply and change nothing', () => {
  return async ({ call, after, told, again }) => {
    const repeated = await again();
    // These two have no lane: that the ring turned once, and that the counts are gone, is what counts.
    if (call.script === 'rotate-idempotency' && call.widthMs === 0) return;
    if (call.script !== 'rotate-idempotency' && call.script !== 'sweep-counts')
      expect(repeated).toEqual(told);
    expect(await readWholeState(redis.client)).toEqual(after);
  };
});

forHistories('P4: a key leads to one success at most, until the ring has gone round', () => {
  const turnsAt: number[] = [];
  let turns = 0;
  return ({ call, told, book }) => {
    if (call.script === 'rotate-idempotency') turns += Number(told.outcomes[0]);
    for (let at = turnsAt.length; at < book.entries.length; at++) turnsAt.push(turns);
    expectAtMostOnceAKey(book.entries, turnsAt);
  };
});

forHistories('P5: an entry leaves the journal only when it is committed, and not while it is pinned', () => {
  return ({ call, before, after, book }) => {
    const kept = new Set(after.entries.map(({ sequence }) => sequence));
    const gone = before.entries.filter(({ sequence }) => !kept.has(sequence));
    const pinned = after.pins.map(([, pin]) => Number(/^1-(\d+) /.exec(pin)![1]));
    for (const { sequence } of gone) {
      expect(call.script).toBe('trim-journal');
      expect(sequence).toBeLessThanOrEqual(Math.min(book.committed, ...pinned));
    }
  };
});
