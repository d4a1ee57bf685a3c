import { expect, test } from 'vitest';
import { useDatabase } from '../../../test/fixtures/servers.ts';
import type { EventStatus } from '../../domain/sale-event.ts';
import { countOverdueEvents } from './count-overdue-events.ts';
import { upsertEvents } from './upsert-events.ts';

const maria = useDatabase();
const GRACE_MS = 5_000;
const LATE_MS = -60_000;
const SOON_MS = 60_000;

/** Puts an event there that starts and ends so long after now by MariaDB's clock. */
async function put(status: EventStatus, startsInMs: number, endsInMs: number): Promise<void> {
  const [row] = (await maria.database.pool.query('select utc_timestamp(3) as now')) as { now: Date }[];
  const now = row!.now.getTime();
  const event = {
    ...{ id: `${status} ${startsInMs} ${endsInMs}`, name: 'a sale', status, holdSeconds: 0 },
    ...{ startsAt: now + startsInMs, endsAt: now + endsInMs, repeat: null, occurrence: 1 },
    items: [{ sku: 'tea', stock: 1, price: 1, limitPerUser: null }],
  };
  await maria.database.transaction((transaction) => upsertEvents(transaction, [{ event, opened: null }]));
}

test('what should have opened or closed a while ago is overdue, nothing else', async () => {
  for (const status of ['scheduled', 'open', 'closed', 'cancelled'] as const) {
    await put(status, SOON_MS, 2 * SOON_MS);
    await put(status, 0, SOON_MS); // a moment ago
  }
  await put('open', LATE_MS, SOON_MS);
  await put('open', LATE_MS, 0);
  await put('closed', 2 * LATE_MS, LATE_MS);
  await put('cancelled', 2 * LATE_MS, LATE_MS);
  expect(await countOverdueEvents(maria.database, GRACE_MS)).toBe(0);
  await put('scheduled', LATE_MS, SOON_MS);
  expect(await countOverdueEvents(maria.database, GRACE_MS)).toBe(1);
  await put('open', 2 * LATE_MS, LATE_MS);
  expect(await countOverdueEvents(maria.database, GRACE_MS)).toBe(2);
});
