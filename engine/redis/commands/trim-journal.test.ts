import { expect, test } from 'vitest';
import { useRedis } from '../../../test/fixtures/servers.ts';
import { NotAccepting } from '../../domain/fault.ts';
import { systemClock } from '../../runtime/clock.ts';
import { countEntries } from '../journal-stream.ts';
import { KEYS } from '../keys.ts';
import { Lane } from '../lane.ts';
import { putProducts } from './put-products.ts';
import { trimJournal } from './trim-journal.ts';

const redis = useRedis();
const details = { name: 'n', producer: null, type: null, function: null, description: null };

test('a full memory keeps out what fills it, and lets the journal be trimmed', async () => {
  await redis.client.set(KEYS.epoch, 1);
  const lane = new Lane({ redis: redis.client, clock: systemClock, deadlineMs: 5_000, epoch: () => 1 });
  const put = () => lane.call(putProducts.pack([{ sku: 'a', price: 5, stock: 3, details }], 1, 1_000));
  await put();
  await redis.client.config('SET', 'maxmemory', 1);
  await expect(put()).rejects.toThrow(NotAccepting);
  const committed = { epoch: 1, sequence: 0 };
  expect(await trimJournal(redis.client, { committed, settled: [], nowMs: 1_000 })).toEqual(committed);
  expect(await countEntries(redis.client)).toBe(0);
});
