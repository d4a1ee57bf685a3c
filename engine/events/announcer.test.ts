import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { TcpProxy } from '../../test/faults/rig/tcp-proxy.ts';
import { emptyTables, useDatabase } from '../../test/fixtures/servers.ts';
import { connectDatabase, type Database } from '../database/database.ts';
import { systemClock } from '../runtime/clock.ts';
import { createLogger } from '../runtime/logger.ts';
import { Announcer, type EventMessage } from './announcer.ts';

const maria = useDatabase();
const T = Date.parse('2030-05-01T14:00:00Z');
const MINUTE_MS = 60_000;
const logger = createLogger('announcer', 'silent');
const clock = { wall: T, steady: 0, nowMs: () => clock.wall, monotonicMs: () => clock.steady };
let made: Announcer[] = [];
let network: TcpProxy;

/** RabbitMQ as an announcer sees it, and what it was given. */
class FakeBroker {
  isConnected = true;
  readonly messages: EventMessage[] = [];
  async publish(message: EventMessage): Promise<void> {
    if (!this.isConnected) throw new Error('RabbitMQ is away');
    this.messages.push(message);
  }
  get said(): string[] {
    return this.messages.map(({ routingKey, body }) => `${routingKey} ${body.eventId} ${body.occurrence}`);
  }
}

function announcer(database: Database, broker: FakeBroker, its = clock as typeof systemClock): Announcer {
  const one = new Announcer({ database, broker, clock: its, logger });
  made.push(one);
  return one;
}

beforeAll(async () => {
  network = await TcpProxy.start(Number(new URL(maria.url).port));
  return () => network.stop();
});

beforeEach(async () => {
  Object.assign(clock, { wall: T - MINUTE_MS, steady: 1_000 });
  await emptyTables(maria.database);
  await maria.database.query.deleteFrom('leases').execute();
});

afterEach(async () => {
  await network.set('pass');
  await Promise.all(made.map((one) => one.stop()));
  made = [];
});

function pass(ms: number): void {
  clock.wall += ms;
  clock.steady += ms;
}

async function schedule(id: string, startsAt: number, changes: object = {}): Promise<void> {
  const times = { starts_at: new Date(startsAt), ends_at: new Date(startsAt + MINUTE_MS) };
  const row = { id, name: id, ...times, status: 'scheduled' as const, hold_seconds: 0, occurrence: 1 };
  await maria.database.query
    .insertInto('sale_events')
    .values({ ...row, ...changes })
    .execute();
}

const lapseLease = () => maria.database.pool.query("update leases set until = '2000-01-01'");

test('what is due is announced, with what its consumer needs', async () => {
  await schedule('sale', T);
  await schedule('over', T - 90 * MINUTE_MS, { status: 'open', occurrence: 3 });
  await schedule('later', T + MINUTE_MS);
  await schedule('gone', T - MINUTE_MS, { status: 'cancelled' });
  const broker = new FakeBroker();
  const one = announcer(maria.database, broker);
  await one.look();
  expect(broker.messages).toEqual([
    expect.objectContaining({
      routingKey: 'event.close',
      body: { eventId: 'over', occurrence: 3 },
      messageId: 'over.3.close',
    }),
  ]);
  pass(MINUTE_MS - 1_000);
  await one.look();
  expect(broker.said.toSorted()).toEqual(['event.close over 3', 'event.close over 3', 'event.open sale 1']);
  expect(one.status).toMatchObject({ mode: 'LEADING', overdue: 1, lastAnnouncedAgoMs: 0 });
  expect(Object.fromEntries(one.status.announced)).toEqual({ open: 1, close: 2 });
});

test('RabbitMQ away: it is announced when it is back', async () => {
  await schedule('sale', T);
  const broker = new FakeBroker();
  const one = announcer(maria.database, broker);
  broker.isConnected = false;
  pass(2 * MINUTE_MS);
  await one.look();
  expect(broker.said).toEqual([]);
  broker.isConnected = true;
  one.announce();
  await vi.waitUntil(() => broker.messages.length > 0);
  expect(broker.said).toEqual(['event.open sale 1']);
});

describe('of two', () => {
  test('one announces, the other stands by, and takes over at once when the first stops', async () => {
    await schedule('sale', T);
    const brokers = [new FakeBroker(), new FakeBroker()] as const;
    const [one, other] = brokers.map((broker) => announcer(maria.database, broker)) as [Announcer, Announcer];
    await one.look();
    await other.look();
    pass(MINUTE_MS);
    await one.look();
    await other.look();
    expect([one.status.mode, other.status.mode]).toEqual(['LEADING', 'STANDBY']);
    expect(brokers.map(({ said }) => said)).toEqual([['event.open sale 1'], []]);
    await one.stop();
    pass(1_000);
    await other.look();
    expect([one.status.mode, other.status.mode]).toEqual(['STOPPED', 'LEADING']);
    expect(brokers[1].said).toEqual(['event.open sale 1']);
  });

  test('one that was held up past its lease looks before it announces, and stands by when another has taken over', async () => {
    await schedule('sale', T);
    const brokers = [new FakeBroker(), new FakeBroker()] as const;
    const [one, other] = brokers.map((broker) => announcer(maria.database, broker)) as [Announcer, Announcer];
    await one.look();
    pass(MINUTE_MS);
    await lapseLease();
    await other.look();
    expect(other.status.mode).toBe('LEADING');
    one.announce();
    expect(brokers[0].said).toEqual([]);
    await one.look();
    one.announce();
    expect([one.status.mode, brokers[0].said]).toEqual(['STANDBY', []]);
  });

  test('what the one that announces has not had done a second after its time, the other says as well', async () => {
    await schedule('sale', T);
    const brokers = [new FakeBroker(), new FakeBroker()] as const;
    const [one, other] = brokers.map((broker) => announcer(maria.database, broker)) as [Announcer, Announcer];
    await one.look();
    pass(MINUTE_MS + 999);
    await other.look();
    expect([other.status.mode, brokers[1].said]).toEqual(['STANDBY', []]);
    pass(1);
    other.announce();
    expect(brokers[1].said).toEqual(['event.open sale 1']);
  });

  test('one that stands by looks twice a second', async () => {
    const one = announcer(maria.database, new FakeBroker());
    const other = announcer(maria.database, new FakeBroker());
    await one.look();
    await other.look();
    await one.stop();
    pass(499);
    await other.look();
    expect(other.status.mode).toBe('STANDBY');
    pass(1);
    await other.look();
    expect(other.status.mode).toBe('LEADING');
  });
});

describe('without MariaDB', () => {
  let through: Database;

  beforeEach(() => {
    through = connectDatabase(network.inFrontOf(maria.url), 1, { initSql: [], socketTimeout: 1_000 });
    return () => through.close();
  });

  test.each(['cut', 'swallowed'] as const)(
    'the one that announced goes on with what it knows (%s), and follows MariaDB when it is back',
    async (weather) => {
      const repeat = { repeat_cron: '*/10 * * * *', repeat_timezone: 'UTC', repeat_minutes: 1 };
      await schedule('sale', T, repeat);
      const broker = new FakeBroker();
      const one = announcer(through, broker);
      await one.look();
      await network.set(weather);
      await one.look();
      expect(one.status).toMatchObject({
        mode: 'BLIND',
        overdue: null,
        lastError: expect.stringMatching(/\S/),
      });
      for (const wait of [MINUTE_MS, MINUTE_MS, 9 * MINUTE_MS]) {
        pass(wait);
        one.announce();
        await vi.waitUntil(() => one.status.lastAnnouncedAgoMs === 0);
      }
      const first = [...new Set(broker.said)];
      expect(first).toEqual(['event.open sale 1', 'event.close sale 1', 'event.open sale 2']);
      await network.set('pass');
      await maria.database.query.updateTable('sale_events').set({ status: 'cancelled' }).execute();
      await vi.waitUntil(
        async () => {
          await one.look();
          return one.status.mode === 'LEADING';
        },
        { timeout: 20_000 },
      );
      broker.messages.length = 0;
      pass(MINUTE_MS);
      one.announce();
      expect(broker.said).toEqual([]);
    },
  );

  test('one that knows nothing waits', async () => {
    await schedule('sale', T - MINUTE_MS);
    await network.set('cut');
    const broker = new FakeBroker();
    const one = announcer(through, broker);
    await one.look();
    one.announce();
    expect([one.status.mode, broker.said]).toEqual(['STARTING', []]);
    expect(one.status.lastError).toMatch(/\S/);
  });

  test('one that is cut off stands by as soon as it hears that another leads', async () => {
    const one = announcer(through, new FakeBroker());
    await one.look();
    await network.set('cut');
    await one.look();
    await lapseLease();
    const other = announcer(maria.database, new FakeBroker());
    await other.look();
    expect([one.status.mode, other.status.mode]).toEqual(['BLIND', 'LEADING']);
    await network.set('pass');
    pass(2_000);
    await vi.waitUntil(
      async () => {
        await one.look();
        return one.status.mode === 'STANDBY';
      },
      { timeout: 20_000 },
    );
  });

  test('a stop takes a few seconds at most', async () => {
    const one = announcer(through, new FakeBroker(), systemClock);
    one.start();
    await vi.waitUntil(() => one.status.mode === 'LEADING', { timeout: 5_000 });
    await network.set('swallowed');
    await vi.waitUntil(() => one.status.mode === 'BLIND', { timeout: 10_000 });
    const startedAt = performance.now();
    await one.stop();
    expect(performance.now() - startedAt).toBeLessThan(4_000);
  });
});

test('by the real clock: an event that is created shortly before its time is announced before it', async () => {
  const broker = new FakeBroker();
  const one = announcer(maria.database, broker, systemClock);
  one.start();
  await vi.waitUntil(() => one.status.mode === 'LEADING', { timeout: 5_000 });
  const startsAt = Date.now() + 900;
  await schedule('sale', startsAt);
  await vi.waitUntil(() => broker.messages.length > 0, { timeout: 5_000, interval: 5 });
  expect(Date.now()).toBeLessThan(startsAt);
});
