import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { EXCHANGE } from '../../../engine/broker/topology.ts';
import { formatPosition } from '../../../engine/domain/position.ts';
import { KEYS } from '../../../engine/redis/keys.ts';
import { call, tokenFor } from '../../fixtures/http.ts';
import { runCommand } from '../../fixtures/processes.ts';
import { Outsider, useRabbitMQ } from '../../fixtures/rabbitmq.ts';
import { useDatabase, useRedis } from '../../fixtures/servers.ts';
import { readProductRows } from '../../fixtures/shop-data.ts';
import {
  bodyOf,
  catalogueFile,
  EVENTS,
  type PlannedEvent,
  SHORT,
  SHORT_STOCK,
  STOCK_OF_EACH,
  THIRD_AT_SECONDS,
} from './plan.ts';
import { type PlaceName, Processes } from './processes.ts';
import { isWithin, type RecordedOccurrence, type Records, readRecords } from './records.ts';
import { Shoppers } from './shoppers.ts';

/**
 * A compressed sale day on real servers: an event that repeats, one with holds, one that is short of stock; the real baskets
 * over two apis; two who announce and two who carry out, each process killed in turn, and RabbitMQ once.
 */
const redis = useRedis();
const maria = useDatabase();
const rabbitmq = useRabbitMQ();
const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000);
const TOLD_QUEUE = 'everything that is told';
const operator = tokenFor('the operator', 'operator');

/** Who is killed when, in seconds from the opening of the day: mostly just before something is due. */
const KILLS: readonly [seconds: number, name: PlaceName][] = [
  [-1, 'consumer 1'],
  [3, 'scheduler 1'],
  [9, 'api 1'],
  [13.5, 'consumer 2'],
  [19.5, 'scheduler 2'],
  [25, 'writer'],
  [60, 'api 2'],
  [THIRD_AT_SECONDS - 1, 'consumer 1'],
];
const BROKER_KILLED_AT_SECONDS = 33;
const DAY_ENDS_AT_SECONDS = THIRD_AT_SECONDS + 5;
/** So long all of it takes to start. */
const FIRST_OPENING_IN_MS = 6_000;
const DRAINED_WITHIN = { timeout: 60_000, interval: 200 };

let environment: NodeJS.ProcessEnv;
let processes: Processes;
let shoppers: Shoppers;
let dayMs: number;
let records: Records;
let toldTypes: Map<string, Set<string>>;
const idOf = new Map<string, string>();

async function ask(path: string, body?: unknown) {
  for (;;) {
    const answer = await call(processes.urls[0]! + path, { method: 'POST', token: operator, body }).catch(
      () => null,
    );
    if (answer && answer.status < 500) return answer;
    await pause(100);
  }
}

const untilSecond = (seconds: number) => pause(Math.max(0, dayMs + 1_000 * seconds - Date.now()));

beforeAll(async () => {
  console.log(`seed ${SEED}`);
  environment = { REDIS_URL: redis.url, DATABASE_URL: maria.url, AMQP_URL: rabbitmq.url };
  const directory = mkdtempSync(join(tmpdir(), 'bootakhae-day-'));
  writeFileSync(join(directory, 'products.csv'), catalogueFile());
  expect(await runCommand(['import', join(directory, 'products.csv')], environment)).toMatchObject({
    code: 0,
  });
  rmSync(directory, { recursive: true });
  processes = new Processes(environment);
  await processes.start();
  await listenToAll();
  dayMs = Math.ceil((Date.now() + FIRST_OPENING_IN_MS) / 1_000) * 1_000;
  for (const event of EVENTS) await create(event);
  shoppers = new Shoppers(processes.urls, SEED);
  await Promise.all([shoppers.run(), killInTurn(), killBroker(), endTheDay()]);
  await untilDrained();
  records = await readRecords(maria.database);
  toldTypes = await readTold();
}, 300_000);

afterAll(() => processes?.killLeftovers());

async function listenToAll(): Promise<void> {
  const outsider = await Outsider.of(rabbitmq);
  await outsider.channel.assertExchange(EXCHANGE, 'topic', { durable: true });
  const arguments_ = { 'x-queue-type': 'quorum' };
  await outsider.channel.assertQueue(TOLD_QUEUE, { durable: true, arguments: arguments_ });
  await outsider.channel.bindQueue(TOLD_QUEUE, EXCHANGE, 'order.*');
  await outsider.channel.bindQueue(TOLD_QUEUE, EXCHANGE, 'stock.*');
}

async function create(event: PlannedEvent): Promise<void> {
  const created = await ask('/api/v1/events', bodyOf(event, dayMs));
  expect(created.status, JSON.stringify(created.body)).toBe(201);
  idOf.set(event.name, created.body.id);
}

async function killInTurn(): Promise<void> {
  for (const [seconds, name] of KILLS) {
    await untilSecond(seconds);
    await processes.kill(name);
  }
}

/** Two closings are due while it is away, or coming back. */
async function killBroker(): Promise<void> {
  await untilSecond(BROKER_KILLED_AT_SECONDS);
  await rabbitmq.kill();
  await rabbitmq.start();
}

async function endTheDay(): Promise<void> {
  await untilSecond(DAY_ENDS_AT_SECONDS);
  shoppers.stop();
  expect(await ask(`/api/v1/events/${idOf.get('repeating')}/cancel`)).toMatchObject({ status: 200 });
}

/** Every hold has ended, MariaDB has the whole journal, and everything has been told. */
async function untilDrained(): Promise<void> {
  const { query } = maria.database;
  await vi.waitUntil(async () => (await redis.client.zcard(KEYS.holds)) === 0, DRAINED_WITHIN);
  await vi.waitUntil(async () => (await redis.client.xlen(KEYS.journal)) === 0, DRAINED_WITHIN);
  const waiting = async () => (await query.selectFrom('outbox').select('id').limit(1).execute()).length;
  await vi.waitUntil(async () => (await waiting()) === 0, DRAINED_WITHIN);
}

/** Order id -> the types of messages that told of it. */
async function readTold(): Promise<Map<string, Set<string>>> {
  const outsider = await Outsider.of(rabbitmq);
  const told = new Map<string, Set<string>>();
  for (const message of await outsider.takeAll(TOLD_QUEUE)) {
    const { order } = JSON.parse(message.content.toString()) as { order?: { id: string } };
    if (!order) continue;
    told.set(order.id, (told.get(order.id) ?? new Set()).add(message.fields.routingKey));
  }
  return told;
}

const occurrencesOf = (name: string): RecordedOccurrence[] =>
  records.occurrences
    .filter(({ eventId }) => eventId === idOf.get(name))
    .sort((one, other) => one.number - other.number);

describe('a compressed sale day', () => {
  test('everybody who was told that an order was placed has it in MariaDB once, as it was told, and nobody else has one', async () => {
    const { told } = shoppers;
    const accepted = told.filter(({ order }) => order !== null);
    const answers = new Map<string, number>();
    for (const { status, code } of told) {
      const answer = `${status} ${code ?? ''}`.trim();
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
    }
    console.log(`${told.length} orders asked:`, Object.fromEntries(answers));
    for (const { status } of told) expect([201, 409]).toContain(status);
    const kept = await maria.database.query.selectFrom('orders').selectAll().execute();
    expect(new Set(kept.map(({ id }) => id))).toEqual(new Set(accepted.map(({ order }) => order!.id)));
    expect(kept.length).toBe(accepted.length);
    const statusOf = new Map(kept.map(({ id, status }) => [id, status]));
    const totals = new Map<string, number>();
    for (const { orderId, quantity, unitPrice } of records.lines)
      totals.set(orderId, (totals.get(orderId) ?? 0) + quantity * unitPrice);
    for (const { order } of accepted) {
      const status = order!.status === 'held' ? 'expired' : order!.status; // nobody asked for it since
      const { id, total } = order!;
      expect([id, statusOf.get(id), totals.get(id)]).toEqual([id, status, total]);
    }
  });

  test('nothing was sold by an event before its time or after it, and everything within it was', () => {
    const priceOf = new Map(EVENTS.map(({ name, items }) => [idOf.get(name)!, items[0]!.price]));
    const eventOf = new Map(
      EVENTS.flatMap(({ name, items }) => items.map(({ sku }) => [sku, name] as const)),
    );
    let sold = 0;
    for (const line of records.lines) {
      const name = eventOf.get(line.sku);
      const windows = name === undefined ? [] : occurrencesOf(name);
      const isDuring = windows.some((window) => isWithin(line, window));
      expect([line, isDuring]).toEqual([line, line.pool !== 'regular']);
      if (line.pool === 'regular') continue;
      sold += 1;
      expect(line.pool).toBe(idOf.get(name!));
      expect(line.unitPrice).toBe(priceOf.get(line.pool));
    }
    expect(sold).toBeGreaterThan(100);
  });

  test('each occurrence opened once and closed once, never before its time', () => {
    expect(occurrencesOf('repeating').map(({ status }) => status)).toEqual(['closed', 'closed', 'cancelled']);
    expect(occurrencesOf('held').map(({ status }) => status)).toEqual(['closed']);
    expect(occurrencesOf('short').map(({ status }) => status)).toEqual(['closed']);
    for (const { name, items } of EVENTS) {
      const id = idOf.get(name)!;
      const windows = occurrencesOf(name);
      for (const kind of ['opening', 'closing'] as const) {
        const entries = windows.map(({ opened, closed }) =>
          formatPosition((kind === 'opening' ? opened : closed)!),
        );
        const moved = records.moves.filter((move) => move.kind === kind && move.pool === id);
        const expected = entries.flatMap((entry) => items.map(({ sku }) => `${entry} ${sku}`));
        expect(moved.map(({ entry, sku }) => `${entry} ${sku}`).sort()).toEqual(expected.sort());
      }
      for (const { openedAt, startsAt, number } of windows) {
        console.log(`${name} ${number} opened ${openedAt! - startsAt} ms after its time`);
        expect(openedAt!).toBeGreaterThanOrEqual(startsAt);
      }
    }
  });

  test('the one that is short says so, and got what was there', () => {
    const [only] = occurrencesOf('short');
    expect(only!.note).toMatch(/short of stock/);
    const opened = records.moves.filter(({ kind, pool }) => kind === 'opening' && pool === idOf.get('short'));
    for (const { delta } of opened) expect(delta).toBeLessThanOrEqual(SHORT_STOCK);
    expect(occurrencesOf('held')[0]!.note).toBeNull();
  });

  test('nobody has more than a limit allows', () => {
    for (const { name, items } of EVENTS)
      for (const { sku, limitPerUser } of items)
        for (const window of occurrencesOf(name)) {
          const units = new Map<string, number>();
          for (const line of records.lines)
            if (line.sku === sku && line.isLive && line.pool !== 'regular' && isWithin(line, window))
              units.set(line.user, (units.get(line.user) ?? 0) + line.quantity);
          for (const [user, has] of units)
            expect([user, sku, has <= (limitPerUser ?? Number.POSITIVE_INFINITY)]).toEqual([user, sku, true]);
        }
  });

  test('P1: what is unsold is back: every event is empty, and the shop has what it had less what was ordered', async () => {
    const inRedis = await redis.client.hgetall(KEYS.levels);
    expect(Object.keys(inRedis).filter((field) => field.includes('\0'))).toEqual([]);
    const levels = await maria.database.query.selectFrom('stock_levels').selectAll().execute();
    const ordered = new Map<string, number>();
    for (const { sku, quantity, isLive } of records.lines)
      if (isLive) ordered.set(sku, (ordered.get(sku) ?? 0) + quantity);
    for (const { sku, pool, available } of levels.filter(({ pool }) => pool !== 'regular'))
      expect([sku, pool, available]).toEqual([sku, pool, 0]);
    for (const { sku } of readProductRows()) {
      const had = SHORT.includes(sku) ? SHORT_STOCK : STOCK_OF_EACH;
      expect([sku, Number(inRedis[sku])]).toEqual([sku, had - (ordered.get(sku) ?? 0)]);
    }
  });

  test('everything that became of an order was told', async () => {
    const kept = await maria.database.query
      .selectFrom('orders')
      .select(['id', 'status', 'expires_at'])
      .execute();
    for (const { id, status, expires_at } of kept) {
      const types = toldTypes.get(id) ?? new Set();
      expect([id, types.has(expires_at ? 'order.held' : 'order.placed')]).toEqual([id, true]);
      expect([id, status, types.has(`order.${status}`)]).toEqual([id, status, true]);
    }
  });

  test('Redis, the journal and MariaDB agree, and every process ends in order', async () => {
    const { code, stdout } = await runCommand(['reconcile', '--json'], environment);
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { consistent: true, drifts: [] }]);
    const codes = await processes.stop();
    expect(codes).toEqual(Object.fromEntries(Object.keys(codes).map((name) => [name, 0])));
  });
});
