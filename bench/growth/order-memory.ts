import { setTimeout as pause } from 'node:timers/promises';
import { parsePosition } from '../../engine/domain/position.ts';
import { expireHolds } from '../../engine/redis/commands/expire-holds.ts';
import { rotateIdempotency } from '../../engine/redis/commands/rotate-idempotency.ts';
import { trimJournal } from '../../engine/redis/commands/trim-journal.ts';
import { readLastPosition } from '../../engine/redis/journal-stream.ts';
import { IDEMPOTENCY_KEYS, KEYS } from '../../engine/redis/keys.ts';
import { Lane } from '../../engine/redis/lane.ts';
import { systemClock } from '../../engine/runtime/clock.ts';
import { type EngineServers, throughGate } from '../ground/decide-all.ts';
import { emptyTables, fillEngine } from '../ground/fresh-stock.ts';
import { type Ground, openRedis } from '../ground/ground.ts';
import { madeUpProducts } from '../made-up-shop.ts';
import { readKeyBytes, readUsedBytes } from '../measure/redis-figures.ts';
import { PLENTY_UNITS } from '../scenarios.ts';
import { keepOrders } from './kept-orders.ts';

/** A kind of order whose memory is asked about. */
export interface OrderKind {
  readonly keyed: boolean;
  readonly held: boolean;
  /** Orders that shared a journal entry. */
  readonly ordersOfCall: number;
}

/** What one order costs Redis, in bytes. */
export interface OrderMemory extends OrderKind {
  /** Over so many orders. */
  readonly orders: number;
  /** Growth of Redis's memory for each order, and which keys it is in. */
  readonly kept: number;
  readonly journal: number;
  readonly records: number;
  readonly holds: number;
  /** What is left of it when the hold has ended, MariaDB has the order and the ring has turned. */
  readonly left: number;
}

const SHOP = { products: 2_000, lines: 3 };
const DEADLINE_MS = 10_000;
const HOLD_MS = 1;
const KEEP_MS = 3_600_000;
const TURNS = IDEMPOTENCY_KEYS.length;
/** As many marks as one call of the trim takes without a long stop of Redis. */
const MARKS_OF_A_TRIM = 1_000;

/** The kinds that are measured; a call of 64 is what a busy api makes. */
export function orderKinds(quick: boolean): OrderKind[] {
  return (quick ? [64] : [1, 16, 64, 256]).flatMap((ordersOfCall) =>
    [false, true].flatMap((held) => [false, true].map((keyed) => ({ keyed, held, ordersOfCall }))),
  );
}

/** Keeps `orders` orders of three lines in a fresh Redis, and lets them leave again. */
export async function measureOrderMemory(
  ground: Ground,
  kind: OrderKind,
  orders: number,
): Promise<OrderMemory> {
  const redis = await openRedis(ground.directory, 'always');
  const servers = { redis: redis.client, database: ground.database, appendfsync: 'always' } as const;
  try {
    await emptyTables(ground.database);
    await fillEngine(servers, madeUpProducts(SHOP, PLENTY_UNITS));
    const before = await readBytes(servers);
    const { keyed, held, ordersOfCall } = kind;
    const holdMs = held ? HOLD_MS : 0;
    await keepOrders(servers, { shop: SHOP, count: orders, keyed, holdMs, ordersOfCall });
    const kept = await readBytes(servers);
    await letAllLeave(servers, orders);
    const left = await readBytes(servers);
    const each = (name: keyof Bytes) => (kept[name] - before[name]) / orders;
    const parts = { journal: each('journal'), records: each('records'), holds: each('holds') };
    // The entries of the products left with the others.
    const lasting = ({ used, journal }: Bytes) => used - journal;
    return {
      ...kind,
      orders,
      kept: each('used'),
      ...parts,
      left: (lasting(left) - lasting(before)) / orders,
    };
  } finally {
    await redis.close();
  }
}

type Bytes = Readonly<Record<'used' | 'journal' | 'records' | 'holds', number>>;

async function readBytes({ redis }: EngineServers): Promise<Bytes> {
  return {
    used: await readUsedBytes(redis),
    journal: await readKeyBytes(redis, [KEYS.journal]),
    records: await readKeyBytes(redis, IDEMPOTENCY_KEYS),
    holds: await readKeyBytes(redis, [KEYS.holds, KEYS.held]),
  };
}

/** Ends the holds, drops the journal as the writer does after its commit, and turns the ring all the way round. */
async function letAllLeave(servers: EngineServers, orders: number): Promise<void> {
  const { redis } = servers;
  await untilHoldsAreOver(servers, orders);
  await trimAll(servers);
  for (let turn = 0; turn <= TURNS; turn += 1)
    await rotateIdempotency(redis, systemClock.nowMs() + turn * KEEP_MS, KEEP_MS);
}

async function untilHoldsAreOver(servers: EngineServers, most: number): Promise<void> {
  await throughGate(servers, async (epoch) => {
    const { redis } = servers;
    const lane = new Lane({ redis, clock: systemClock, epoch, deadlineMs: DEADLINE_MS });
    let ended = 0;
    while ((await redis.exists(KEYS.holds)) === 1) {
      ended += (await expireHolds({ lane, epoch, nowMs: () => systemClock.nowMs() })).ended;
      if (ended > most) throw new Error(`${ended} holds ended, of ${most} orders`);
      await pause(HOLD_MS);
    }
  });
}

async function trimAll({ redis }: EngineServers): Promise<void> {
  const marks = Object.entries(await redis.hgetall(KEYS.settled)).map(([place, mark]) => {
    return { place, position: parsePosition(mark.slice(mark.indexOf(' ') + 1)) };
  });
  const committed = await readLastPosition(redis);
  for (let at = 0; at === 0 || at < marks.length; at += MARKS_OF_A_TRIM) {
    const settled = marks.slice(at, at + MARKS_OF_A_TRIM);
    await trimJournal(redis, { committed, settled, nowMs: systemClock.nowMs() });
  }
}
