import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { TcpProxy, type Weather } from '../faults/rig/tcp-proxy.ts';
import { call, tokenFor } from '../fixtures/http.ts';
import type { StartedProcess } from '../fixtures/processes.ts';
import { useRabbitMQ } from '../fixtures/rabbitmq.ts';
import { useApi } from '../fixtures/running-api.ts';
import { createEvent, untilLeading, untilOccurrence, untilReady } from '../fixtures/sale-events.ts';

/** A scheduler whose servers go away: sales that are known open all the same where they can, and none is forgotten. */

const api = useApi();
const rabbitmq = useRabbitMQ();
const networks = {} as Record<'redis' | 'database' | 'amqp', TcpProxy>;
const operator = tokenFor('the operator', 'operator');
/** What who runs containers waits before it kills one. */
const STOP_WITHIN_MS = 10_000;
let scheduler: StartedProcess;
let url = '';
let sku: string;
let products = 0;

beforeAll(async () => {
  api.start(['writer']);
  const { REDIS_URL = '', DATABASE_URL = '' } = api.environment;
  const urls = { redis: REDIS_URL, database: DATABASE_URL, amqp: rabbitmq.url };
  for (const [name, at] of Object.entries(urls))
    networks[name as keyof typeof networks] = await TcpProxy.start(Number(new URL(at).port));
  api.start(['scheduler'], { AMQP_URL: rabbitmq.url, SCHEDULER_ROLES: 'consume' });
});

afterAll(async () => {
  for (const network of Object.values(networks)) await network.stop();
});

beforeEach(async () => {
  products += 1;
  sku = `product ${products}`;
  await api.put(sku, { stock: 100 });
  const { REDIS_URL = '', DATABASE_URL = '' } = api.environment;
  scheduler = api.start(['scheduler'], {
    REDIS_URL: networks.redis.inFrontOf(REDIS_URL),
    DATABASE_URL: networks.database.inFrontOf(DATABASE_URL),
    AMQP_URL: networks.amqp.inFrontOf(rabbitmq.url),
  });
  await untilLeading(scheduler);
  url = await untilReady(scheduler);
});

afterEach(async () => {
  for (const network of Object.values(networks)) await network.set('pass');
  if (scheduler.child.exitCode === null) expect(await scheduler.stop(), 'exit code of the scheduler').toBe(0);
});

const reasons = async (): Promise<string[]> => (await call(`${url}/readyz`)).body.reasons ?? [];

async function untilReason(pattern: RegExp): Promise<void> {
  await vi.waitUntil(async () => (await reasons()).some((reason) => pattern.test(reason)), {
    timeout: 20_000,
    interval: 50,
  });
}

/** Resolves when the announcer knows of so many events that are to open or to close. */
async function untilUpcoming(count: number): Promise<void> {
  const isKnown = async () =>
    String((await call(`${url}/metrics`)).body).includes(`\nbootakhae_events_upcoming ${count}\n`);
  await vi.waitUntil(isKnown, { timeout: 10_000, interval: 20 });
}

test.each(['cut', 'swallowed'] as const)(
  'MariaDB (%s): an event that was known opens in time, and closes',
  async (weather) => {
    const event = await createEvent(api, { sku, startsInMs: 4_500, endsInMs: 6_500 });
    await untilUpcoming(1);
    await networks.database.set(weather);
    await untilReason(/^MariaDB cannot be asked what is due: /);
    expect(Date.now()).toBeLessThan(event.startsAt);
    const { openedAt, closedAt } = await untilOccurrence(api, event, 'closed');
    expect(openedAt! - event.startsAt).toBeLessThanOrEqual(500);
    expect(closedAt! - event.endsAt).toBeLessThanOrEqual(500);
    expect(openedAt).toBeGreaterThanOrEqual(event.startsAt);
    await networks.database.set('pass');
    await vi.waitUntil(async () => (await reasons()).length === 0, { timeout: 20_000 });
  },
);

test('RabbitMQ killed: an event that is due meanwhile opens late rather than never', async () => {
  await rabbitmq.kill();
  await untilReason(/^RabbitMQ is away$/);
  const event = await createEvent(api, { sku, startsInMs: 500, endsInMs: 60_000 });
  await rabbitmq.start();
  const { openedAt } = await untilOccurrence(api, event, 'open');
  expect(openedAt).toBeGreaterThanOrEqual(event.startsAt);
  const closing = `/api/v1/events/${event.id}/close`;
  expect((await api.call(closing, { method: 'POST', token: operator })).status).toBe(200);
});

test('the queue deleted between two announcements: it is declared and announced again', async () => {
  const event = await createEvent(api, { sku, startsInMs: 1_500, endsInMs: 60_000 });
  const channel = await (await rabbitmq.connect()).createChannel();
  await vi.waitUntil(() => Date.now() > event.startsAt - 800, { timeout: 5_000, interval: 20 });
  await channel.deleteQueue('bootakhae.events');
  await untilOccurrence(api, event, 'open');
  const closing = `/api/v1/events/${event.id}/close`;
  expect((await api.call(closing, { method: 'POST', token: operator })).status).toBe(200);
});

test.each<[keyof typeof networks, Weather]>([
  ['redis', 'cut'],
  ['redis', 'swallowed'],
  ['database', 'cut'],
  ['database', 'swallowed'],
  ['amqp', 'cut'],
  ['amqp', 'swallowed'],
])('a stop while %s is %s ends within a few seconds, in order', async (server, weather) => {
  await createEvent(api, { sku, startsInMs: 500, endsInMs: 600 });
  await networks[server].set(weather);
  const startedAt = performance.now();
  expect(await scheduler.stop()).toBe(0);
  expect(performance.now() - startedAt).toBeLessThan(STOP_WITHIN_MS);
  expect(scheduler.log.map(({ msg }) => msg)).toContain('stopped');
});
