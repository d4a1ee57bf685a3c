import { expect, test } from 'vitest';
import { packEvent } from '../../engine/domain/sale-event.ts';
import { KEYS } from '../../engine/redis/keys.ts';
import { event } from '../fixtures/made-up-events.ts';
import { runCommand } from '../fixtures/processes.ts';
import { useDatabase, useRedis } from '../fixtures/servers.ts';

const redis = useRedis();
const maria = useDatabase();

const run = (words: readonly string[], DATABASE_URL = maria.url) =>
  runCommand([...words, '--data', 'test/no-stack-here'], { REDIS_URL: redis.url, DATABASE_URL });

const READINGS = [
  ['event', 'list'],
  ['event', 'list', '--json'],
  ['event', 'show', 'x'],
  ['stock', 'show', 'tea'],
];

test.each(READINGS)(
  'P6: of a Redis that has lost its data "%s %s" does not say that there is nothing',
  async (...words) => {
    await maria.database.query.updateTable('journal_checkpoint').set({ epoch: 1, sequence: 7 }).execute();
    const { code, stdout, stderr } = await run(words);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^bootakhae: Redis has lost data: its journal ends at 0-0, MariaDB is at 1-7\n$/);
  },
);

test('with MariaDB away what is there is shown, with a warning that nobody knows', async () => {
  await redis.client.hset(KEYS.events, 'sale', packEvent(event()));
  const nowhere = maria.url.replace(/:\d+\//, ':1/');
  const { code, stdout, stderr } = await run(['event', 'list'], nowhere);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^sale +scheduled /m);
  expect(stderr).toMatch(/^warning: whether Redis has lost anything cannot be told: .+\n$/);
});
