import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { CONTENT_CHARACTERS, SCOPE_CHARACTERS } from '../../engine/domain/idempotency.ts';
import { IDEMPOTENCY_KEYS, KEYS, laneKey } from '../../engine/redis/keys.ts';
import { packMessage, unpackMessage } from '../../engine/redis/message-pack.ts';
import { callScript, loadScript } from '../../engine/redis/script.ts';
import { useRedis } from '../fixtures/servers.ts';
import {
  type AdjustmentTold,
  Model,
  type ModelAdjustment,
  type ModelOrder,
  type ModelOutcome,
} from './model.ts';
import { readWholeState, stateOfModel } from './whole-state.ts';

/**
 * Strategy: random calls of the scripts that change something, malformed lines among them, on a real Redis and on
 * the plain model. A few SKUs, users and small stocks, so that orders collide, run short and repeat.
 *
 * Invariants after every call, a test each: outcomes and whole state are the model's; no unit is lost or made (P1); an
 * order takes every line or none (P2); the same bytes sent again change nothing (P4).
 */
const redis = useRedis();
const scripts = {
  placeOrders: loadScript('place-orders'),
  putProducts: loadScript('put-products'),
  changeWishlists: loadScript('change-wishlists'),
  adjustStock: loadScript('adjust-stock'),
};
const RUNS = Number(process.env.SIMULATION_RUNS ?? 75);

const skus = ['a', 'B', 'ㄱ {x}:', 'd', 'dear', '__proto__'];
const sku = fc.constantFrom(...skus);
const user = fc.constantFrom('ann', 'ben', 'cho');
const sound = fc.integer({ min: 1, max: 8 });
const UNSOUND = [0, -3, 1.5, Number.NaN, '3', Number.POSITIVE_INFINITY, 2 ** 53, 1_000_001, true, [], -0];
const unsound = fc.constantFrom<unknown>(...UNSOUND);
const quantity = fc.oneof({ weight: 20, arbitrary: sound }, { weight: 1, arbitrary: unsound });
const lines = fc.array(fc.record({ sku, quantity }), { minLength: 1, maxLength: 5 });
const token = fc.record({
  scope: fc.constantFrom('1', '2', '3').map((key) => key.padStart(SCOPE_CHARACTERS, 'k')),
  content: fc.constantFrom('x', 'x', 'x', 'y').map((asked) => asked.padStart(CONTENT_CHARACTERS, 'c')),
});
const order: fc.Arbitrary<ModelOrder> = fc.record({
  user,
  lines: fc.option(lines, { freq: 4 }),
  token: fc.option(token, { freq: 2 }),
});
const product = fc.record({
  sku,
  price: fc.constantFrom(0, 5, 1_000_000_000_000),
  stock: fc.integer({ min: 0, max: 30 }),
  details: fc.constantFrom('{"name":"x"}', '{"name":"y"}'),
});
const change = fc.record({ user, sku, quantity: fc.integer({ min: 0, max: 5 }) });

const delta = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: -12, max: 12 }) },
  { weight: 2, arbitrary: fc.constantFrom<unknown>(1_000_000_000_000, -1_000_000_000_000, 999_999_999_990) },
  { weight: 2, arbitrary: unsound },
);
const reason = fc.constantFrom('counted', 'broke', '한글', '🍵'.repeat(255), 'counted', '', '🍵'.repeat(256));
const adjustment: fc.Arbitrary<ModelAdjustment> = fc.record({
  sku,
  delta,
  reason,
  token: fc.option(token, { freq: 2 }),
});

type Generated<A> = A extends fc.Arbitrary<infer T> ? T : never;

type Call =
  | { script: 'placeOrders'; items: ModelOrder[] }
  | { script: 'putProducts'; items: Generated<typeof product>[] }
  | { script: 'changeWishlists'; items: Generated<typeof change>[] }
  | { script: 'adjustStock'; items: ModelAdjustment[] };

const some = <T>(arbitrary: fc.Arbitrary<T>) => fc.array(arbitrary, { minLength: 1, maxLength: 6 });
const call: fc.Arbitrary<Call> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ script: fc.constant('placeOrders' as const), items: some(order) }) },
  { weight: 2, arbitrary: fc.record({ script: fc.constant('putProducts' as const), items: some(product) }) },
  {
    weight: 3,
    arbitrary: fc.record({ script: fc.constant('changeWishlists' as const), items: some(change) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ script: fc.constant('adjustStock' as const), items: some(adjustment) }),
  },
);

/** Most shops open with goods on the shelves, or few orders would find all they ask for. */
const opening = fc.subarray(skus, { minLength: 3 }).map((stocked): Call => {
  const goods = { price: 5, stock: 30, details: '{"name":"x"}' } as const;
  return { script: 'putProducts', items: stocked.map((name) => ({ sku: name, ...goods })) };
});
const history = fc
  .tuple(fc.option(opening, { freq: 4 }), fc.array(call, { minLength: 1, maxLength: 25 }))
  .map(([first, rest]) => (first ? [first, ...rest] : rest));

beforeEach(async () => {
  await redis.client.flushall();
});

/** What one call did: the whole state before and after it, and each item's outcome as the reply tells it. */
interface Step {
  readonly call: Call;
  readonly before: State;
  readonly after: State;
  readonly outcomes: unknown[];
  readonly reply: unknown;
  /** Sends the very same bytes once more. */
  readonly again: () => Promise<unknown>;
}

type State = Awaited<ReturnType<typeof readWholeState>>;

/** Plays random histories and checks each of their steps. */
async function forEveryStep(check: (step: Step, model: Model) => void | Promise<void>): Promise<void> {
  await fc.assert(
    fc.asyncProperty(history, async (calls) => {
      await redis.client.flushall();
      await redis.client.set(KEYS.epoch, 1);
      const model = new Model();
      let before = await readWholeState(redis.client);
      for (const [at, each] of calls.entries()) {
        const argument = argumentOf(each, at + 1);
        const again = () => send(each, argument);
        const reply = await again();
        const after = await readWholeState(redis.client);
        await check({ call: each, before, after, outcomes: outcomesOf(each, reply), reply, again }, model);
        before = after;
      }
    }),
    { numRuns: RUNS, verbose: 0 },
  );
}

test(`the scripts do what the plain model does, whole state compared (${RUNS} histories)`, async () => {
  await forEveryStep(({ call, after, outcomes }, model) => {
    expect(outcomes).toEqual(ask(model, call));
    expect(after).toEqual(stateOfModel(model));
  });
});

test(`P1: units loaded and adjusted = units available + units ordered, never negative (${RUNS} histories)`, async () => {
  await forEveryStep(({ after }) => {
    const loaded = new Map<string, number>();
    const ordered = new Map<string, number>();
    for (const entry of after.entries as ToldEntry[]) {
      for (const { sku, stock } of entry.products ?? [])
        loaded.set(sku, (loaded.get(sku) ?? 0) + (stock ?? 0));
      for (const { sku, delta, available } of entry.adjustments ?? []) {
        loaded.set(sku, (loaded.get(sku) ?? 0) + delta);
        expect({ sku, available }).toEqual({ sku, available: loaded.get(sku)! - (ordered.get(sku) ?? 0) });
        expect(available).toBeGreaterThanOrEqual(0);
      }
      for (const { sku, quantity } of entry.orders?.flatMap(({ lines }) => lines) ?? []) {
        ordered.set(sku, (ordered.get(sku) ?? 0) + quantity);
        expect(quantity).toBeGreaterThan(0);
      }
    }
    for (const [sku, available] of after.levels) {
      expect(available).toBeGreaterThanOrEqual(0);
      expect({ sku, loaded: available + (ordered.get(sku) ?? 0) }).toEqual({ sku, loaded: loaded.get(sku) });
    }
  });
});

test(`P2: an order takes each of its lines or leaves everything as it was (${RUNS} histories)`, async () => {
  await forEveryStep(({ call, before, after, outcomes }) => {
    if (call.script !== 'placeOrders') return;
    const levels = new Map(before.levels);
    for (const outcome of outcomes as ModelOutcome[]) {
      if (outcome.kind !== 'accepted') continue;
      for (const { sku, quantity } of outcome.lines) {
        expect(levels.get(sku), `an accepted order has ${quantity} of "${sku}"`).toBeGreaterThanOrEqual(
          quantity,
        );
        levels.set(sku, levels.get(sku)! - quantity);
      }
    }
    expect(after.levels).toEqual([...levels]);
  });
});

test(`P4: the same bytes again give the same reply and change nothing (${RUNS} histories)`, async () => {
  await forEveryStep(async ({ after, reply, again }) => {
    expect(await again()).toEqual(reply);
    expect(await readWholeState(redis.client)).toEqual(after);
  });
});

test(`P4: an idempotency key leads to one order or adjustment at most (${RUNS} histories)`, async () => {
  await forEveryStep(({ after }) => {
    const deeds = (after.entries as ToldEntry[]).flatMap((entry) => [
      ...(entry.orders ?? []),
      ...(entry.adjustments ?? []),
    ]);
    const scopes = deeds.flatMap(({ token }) => (token ? [token.slice(0, SCOPE_CHARACTERS)] : []));
    expect(scopes).toEqual([...new Set(scopes)]);
  });
});

interface ToldEntry {
  readonly products?: readonly { sku: string; stock: number | null }[];
  readonly adjustments?: readonly {
    sku: string;
    delta: number;
    available: number;
    token: string | null;
  }[];
  readonly orders?: readonly { lines: readonly { sku: string; quantity: number }[]; token: string | null }[];
}

/** Asks for these orders where 100 units of "a" are there; answers the results and what is left. */
async function askAtTheDoor(skus: string[], users: string[], orders: unknown[]) {
  await redis.client.set(KEYS.epoch, 1);
  await redis.client.hset(KEYS.prices, 'a', 5);
  await redis.client.hset(KEYS.levels, 'a', 100);
  const argument = packMessage([1, 1, 0, 1, skus, users, orders, [], 0]);
  const keys = [KEYS.epoch, laneKey('test'), KEYS.journal, ...KEYS_OF.placeOrders];
  const reply = await callScript(redis.client, scripts.placeOrders, { keys, args: [argument] });
  const [, , , results] = unpackMessage(reply as Buffer) as OrdersReply;
  return { results, left: await redis.client.hget(KEYS.levels, 'a') };
}

test.each(UNSOUND.map((quantity) => ({ quantity })))(
  'P1: a quantity of $quantity spoils its order and nothing else',
  async ({ quantity }) => {
    const asked = await askAtTheDoor(['a'], ['ann', 'ben'], [1, 1, quantity, 1, 1, 2]);
    expect(asked).toEqual({ results: [7, 1, 0, 0], left: '98' });
  },
);

test('P1: a product that is named twice spoils its order and nothing else', async () => {
  const asked = await askAtTheDoor(['a'], ['ann', 'ben'], [2, 1, 60, 1, 60, 1, 1, 2]);
  expect(asked).toEqual({ results: [7, 1, 0, 0], left: '98' });
});

test('P1: a line that is short by one unit takes nothing', async () => {
  const asked = await askAtTheDoor(['a'], ['ann', 'ben'], [1, 1, 99, 1, 1, 2]);
  expect(asked).toEqual({ results: [1, 0, 0, 2, 1, 1, 2, 1], left: '1' });
});

test('P2: an order with an unknown product leaves the known one, too', async () => {
  const asked = await askAtTheDoor(['a', 'new'], ['ann'], [2, 1, 60, 2, 1]);
  expect(asked).toEqual({ results: [3, 1, 2], left: '100' });
});

test.each<[string, Buffer]>([
  ['not MessagePack', Buffer.from([0xc1])],
  ['no array', packMessage('orders')],
  ['another format', packMessage([2, 1, 0, 1, ['a'], ['ann'], [1, 1, 1], [], 0])],
  ['an epoch that is a text', packMessage([1, '1', 0, 1, ['a'], ['ann'], [1, 1, 1], [], 0])],
  ['a sequence of NaN', packMessage([1, 1, 0, Number.NaN, ['a'], ['ann'], [1, 1, 1], [], 0])],
  ['a clock with a fraction', packMessage([1, 1, 0.5, 1, ['a'], ['ann'], [1, 1, 1], [], 0])],
  ['nobody who orders', packMessage([1, 1, 0, 1, ['a'], [], [], [], 0])],
  ['a sku that is a number', packMessage([1, 1, 0, 1, [7], ['ann'], [1, 1, 1], [], 0])],
  ['a sku that stands there twice', packMessage([1, 1, 0, 1, ['a', 'a'], ['ann'], [2, 1, 1, 2, 1], [], 0])],
  ['a token that is too short', packMessage([1, 1, 0, 1, ['a'], ['ann'], [1, 1, 1], [1, 'short'], 0])],
  ['a token of nobody', packMessage([1, 1, 0, 1, ['a'], ['ann'], [1, 1, 1], [2, 'x'.repeat(33)], 0])],
  ['a user that is a number', packMessage([1, 1, 0, 1, ['a'], [7], [1, 1, 1], [], 0])],
  ['fewer lines than counted', packMessage([1, 1, 0, 1, ['a'], ['ann'], [2, 1, 1], [], 0])],
  ['more lines than counted', packMessage([1, 1, 0, 1, ['a'], ['ann'], [1, 1, 1, 1, 1], [], 0])],
  ['1,001 lines', packMessage([1, 1, 0, 1, ['a'], ['ann'], [1_001, ...Array(2_002).fill(1)], [], 0])],
  ['a count of -1', packMessage([1, 1, 0, 1, ['a'], ['ann'], [-1], [], 0])],
  ['a count of 1.5', packMessage([1, 1, 0, 1, ['a'], ['ann'], [1.5, 1, 1, 1], [], 0])],
  [
    'more lines than a call holds',
    packMessage([1, 1, 0, 1, ['a'], Array(5).fill('ann'), manyLines(5), [], 0]),
  ],
])('at the door of place-orders, %s changes nothing', async (_, argument) => {
  await expectRefused('placeOrders', argument);
});

const adjustments = (...values: unknown[]) => packMessage([1, 1, 0, 1, values]);

test.each<[string, Buffer]>([
  ['not MessagePack', Buffer.from([0xc1])],
  ['another format', packMessage([2, 1, 0, 1, ['a', 1, 'r', '']])],
  ['nothing to adjust', packMessage([1, 1, 0, 1])],
  ['no adjustment', adjustments()],
  ['no array', packMessage([1, 1, 0, 1, 'a'])],
  ['three values', adjustments('a', 1, 'r')],
  ['a sku that is a number', adjustments(7, 1, 'r', '')],
  ['a reason that is a number', adjustments('a', 1, 7, '')],
  ['no reason', adjustments('a', 1, null, '')],
  ['a token that is a number', adjustments('a', 1, 'r', 7)],
  ['a token that is too short', adjustments('a', 1, 'r', 'short')],
  ['a good one and a bad one', adjustments('a', 1, 'r', '', 'a', 1, 'r', 'short')],
  ['1,001 adjustments', adjustments(...Array.from({ length: 1_001 }, () => ['a', 1, 'r', '']).flat())],
])('at the door of adjust-stock, %s changes nothing', async (_, argument) => {
  await expectRefused('adjustStock', argument);
});

async function expectRefused(script: Call['script'], argument: Buffer): Promise<void> {
  await redis.client.set(KEYS.epoch, 1);
  await redis.client.hset(KEYS.prices, 'a', 5);
  await redis.client.hset(KEYS.levels, 'a', 100);
  const keys = [KEYS.epoch, laneKey('test'), KEYS.journal, ...KEYS_OF[script]];
  const refused = callScript(redis.client, scripts[script], { keys, args: [argument] });
  await expect(refused).rejects.toThrow(/^(MALFORMED|FORMAT)/);
  expect(await redis.client.hgetall(KEYS.levels)).toEqual({ a: '100' });
  expect((await redis.client.keys('*')).sort()).toEqual([KEYS.epoch, KEYS.levels, KEYS.prices].sort());
}

test.each([null, 'many', '-1', '1.5', 'nan', '1e3x'])(
  'P1: a known product whose level is %j is not adjusted, and spoils no neighbour',
  async (level) => {
    await redis.client.set(KEYS.epoch, 1);
    await redis.client.hset(KEYS.prices, 'a', 5, 'B', 5);
    await redis.client.hset(KEYS.levels, 'B', 1, ...(level === null ? [] : ['a', level]));
    const argument = adjustments('a', 1, 'r', '', 'B', 2, 'r', '');
    const reply = await send({ script: 'adjustStock', items: [] }, argument);
    expect(reply).toEqual([0, [5, 0, 1, 3]]);
    const levels = { B: '3', ...(level !== null && { a: level }) };
    expect(await redis.client.hgetall(KEYS.levels)).toEqual(levels);
  },
);

test('a call takes 1,000 adjustments, each with a key, and gives 1,000 answers', async () => {
  await redis.client.set(KEYS.epoch, 1);
  await redis.client.hset(KEYS.prices, 'a', 5);
  await redis.client.hset(KEYS.levels, 'a', 0);
  const items = Array.from({ length: 1_000 }, (_, at) => ['a', 1, 'r', String(at).padEnd(33, 'k')]);
  const reply = (await send(
    { script: 'adjustStock', items: [] },
    adjustments(...items.flat()),
  )) as unknown[][];
  expect(reply[1]!.slice(-2)).toEqual([1, 1_000]);
  expect(await redis.client.hget(KEYS.levels, 'a')).toBe('1000');
});

function manyLines(orders: number): number[] {
  return Array.from({ length: orders }, () => [1_000, ...Array(2_000).fill(1)]).flat();
}

function ask(model: Model, each: Call): unknown[] {
  switch (each.script) {
    case 'placeOrders':
      return model.placeOrders(each.items);
    case 'putProducts':
      return model.putProducts(each.items);
    case 'changeWishlists':
      return model.changeWishlists(each.items);
    case 'adjustStock':
      return model.adjustStock(each.items);
  }
}

const KEYS_OF = {
  placeOrders: [KEYS.levels, KEYS.prices, KEYS.wishlists, KEYS.holds, KEYS.held, ...IDEMPOTENCY_KEYS],
  putProducts: [KEYS.levels, KEYS.prices, KEYS.catalogue],
  changeWishlists: [KEYS.prices, KEYS.wishlists],
  adjustStock: [KEYS.levels, KEYS.prices, ...IDEMPOTENCY_KEYS],
};

async function send({ script }: Call, args: Buffer): Promise<unknown> {
  const keys = [KEYS.epoch, laneKey('test'), KEYS.journal, ...KEYS_OF[script]];
  return unpackMessage((await callScript(redis.client, scripts[script], { keys, args: [args] })) as Buffer);
}

/** Packed here by hand, without the callers' codecs: these never let a malformed line through. */
function argumentOf(each: Call, sequence: number): Buffer {
  return packMessage([1, 1, 1_700_000_000_000, sequence, ...payloadOf(each)]);
}

function payloadOf(each: Call): unknown[] {
  switch (each.script) {
    case 'placeOrders':
      return payloadOfOrders(each.items);
    case 'putProducts':
      return [each.items.flatMap(({ sku, price, stock, details }) => [sku, price, stock, details])];
    case 'changeWishlists':
      return [each.items.flatMap(({ user, sku, quantity }) => [user, sku, quantity])];
    case 'adjustStock':
      return [
        each.items.flatMap(({ sku, delta, reason, token }) => [
          sku,
          delta,
          reason,
          token ? token.scope + token.content : '',
        ]),
      ];
  }
}

function payloadOfOrders(orders: readonly ModelOrder[]): unknown[] {
  const named = [...new Set(orders.flatMap(({ lines }) => lines ?? []).map(({ sku }) => sku))];
  const flat = orders.flatMap(({ lines }) => [
    lines?.length ?? 0,
    ...(lines ?? []).flatMap(({ sku, quantity }) => [named.indexOf(sku) + 1, quantity]),
  ]);
  const tokens = orders.flatMap(({ token }, at) => (token ? [at + 1, token.scope + token.content] : []));
  return [named, orders.map(({ user }) => user), flat, tokens, 0];
}

function outcomesOf(each: Call, reply: unknown): unknown[] {
  if (each.script === 'placeOrders') return outcomesOfOrders(each.items, reply as OrdersReply);
  if (each.script === 'adjustStock') return outcomesOfAdjustments(reply as [number, number[]]);
  const words =
    each.script === 'putProducts' ? ['created', 'changed', 'unchanged'] : ['done', 'unknown_product', 'full'];
  return (reply as [number, number[]])[1].map((result) => words[result - 1]);
}

const ADJUSTMENT_WORDS = [
  'adjusted',
  'out_of_stock',
  'unknown_product',
  'too_many',
  'corrupt',
  'replayed',
  'mismatch',
  'invalid',
];

function outcomesOfAdjustments([, results]: [number, number[]]): AdjustmentTold[] {
  return Array.from({ length: results.length / 2 }, (_, at) => ({
    kind: ADJUSTMENT_WORDS[results[2 * at]! - 1]!,
    units: results[2 * at + 1]!,
  }));
}

type OrdersReply = [sequence: number, added: string[], prices: number[], results: number[]];

/** Reads the reply by the header of `lua/place-orders.lua`, without the caller's codec. */
function outcomesOfOrders(
  orders: readonly ModelOrder[],
  [sequence, added, , results]: OrdersReply,
): ModelOutcome[] {
  const table = [...(payloadOfOrders(orders)[0] as string[]), ...added];
  let at = 0;
  const take = () => results[at++]!;
  const list = <T>(read: () => T): T[] => Array.from({ length: take() }, read);
  const sku = () => table[take() - 1]!;
  return orders.map(({ lines }): ModelOutcome => {
    switch (take()) {
      case 1: {
        take();
        const fromWishlist = list(() => ({ sku: sku(), quantity: take() }));
        return {
          kind: 'accepted',
          lines: lines ? (lines as { sku: string; quantity: number }[]) : fromWishlist,
        };
      }
      case 2:
        return {
          kind: 'out_of_stock',
          shortages: list(() => ({ sku: sku(), requested: take(), available: take() })),
        };
      case 3:
        return { kind: 'unknown_product', skus: list(sku) };
      case 4:
        return { kind: 'empty_wishlist' };
      case 9: {
        const [, entry, index] = [take(), take(), take()];
        return { kind: 'replayed', entry: entry === -1 ? sequence : entry, index };
      }
      case 10:
        return { kind: 'mismatch' };
      case 7:
        return { kind: 'invalid' };
      case 8:
        return { kind: 'too_large' };
      default:
        throw new Error('a result that the header does not name');
    }
  });
}
