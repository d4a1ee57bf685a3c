import { beforeEach, describe, expect, test } from 'vitest';
import { event } from '../../test/fixtures/made-up-events.ts';
import { useRedis } from '../../test/fixtures/servers.ts';
import { packEvent, type SaleEvent } from '../domain/sale-event.ts';
import { EventBookReader } from './event-reader.ts';
import { KEYS } from './keys.ts';

const redis = useRedis();
let reader: EventBookReader;

beforeEach(async () => {
  await redis.client.flushall();
  reader = new EventBookReader(redis.client);
});

async function write(revision: number, ...events: SaleEvent[]): Promise<void> {
  const transaction = redis.client.multi().set(KEYS.revision, revision);
  for (const each of events) transaction.hset(KEYS.events, each.id, packEvent(each));
  await transaction.exec();
}

/** How often Redis was asked for all events. */
async function wholeReads(): Promise<number> {
  const statistics = await redis.client.info('commandstats');
  return Number(/cmdstat_hgetall:calls=(\d+)/.exec(statistics)?.[1] ?? 0);
}

async function expectBook(revision: number, ...events: SaleEvent[]): Promise<void> {
  expect(await reader.read()).toEqual({ revision, events: new Map(events.map((each) => [each.id, each])) });
}

const [one, other] = [event({ id: 'one' }), event({ id: 'other' })];

describe('a book of sale events that is read again', () => {
  test('is asked for by its revision alone as long as nobody changed it', async () => {
    await expectBook(0);
    await write(1, one, other);
    await expectBook(1, one, other);
    const before = await wholeReads();
    for (let at = 0; at < 10; at++) await expectBook(1, one, other);
    expect(await wholeReads()).toBe(before);
    const changed = event({ id: 'other', name: 'another name' });
    await write(2, changed);
    await expectBook(2, one, changed);
    expect(await wholeReads()).toBe(before + 1);
    await redis.client.flushall();
    await expectBook(0);
  });

  test('is read at most twice for all who ask at once, and has what was changed before they asked', async () => {
    await write(1, one);
    await expectBook(1, one);
    const before = await wholeReads();
    const early = reader.read();
    await write(2, other);
    const late = Array.from({ length: 200 }, () => reader.read());
    for (const { revision, events } of await Promise.all(late))
      expect([revision, events.size]).toEqual([2, 2]);
    expect((await early).revision).toBeLessThanOrEqual(2);
    expect(await wholeReads()).toBeLessThanOrEqual(before + 2);
  });

  test('is read anew from a Redis that has started again: the same revision may be another change', async () => {
    await write(7, one);
    await expectBook(7, one);
    await redis.crash();
    await redis.client.flushall();
    await write(7, other);
    await expectBook(7, other);
  });
});
