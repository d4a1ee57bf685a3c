import { beforeEach, expect, test } from 'vitest';
import { useDatabase } from '../../test/fixtures/servers.ts';
import { systemClock } from '../runtime/clock.ts';
import { Lease, LeaseLost, type LeaseName } from './lease.ts';

const maria = useDatabase();
const clock = { ...systemClock, steady: 0, monotonicMs: () => clock.steady };

beforeEach(async () => {
  clock.steady = 0;
  await maria.database.query.deleteFrom('leases').execute();
});

const lease = (name: LeaseName) => new Lease({ name, database: maria.database, clock, seconds: 5 });
const lapse = () => maria.database.pool.query("update leases set until = '2000-01-01'");

test('of those who ask by one name one has it; another name is another lease', async () => {
  const [one, other, stranger] = [lease('scheduler'), lease('scheduler'), lease('outbox-publisher')];
  expect([await one.take(), await other.take(), await stranger.take()]).toEqual([true, false, true]);
  await one.release();
  expect([await other.take(), await one.take()]).toEqual([true, false]);
});

test('it lapses by MariaDB’s clock; whoever had it finds that out when it renews', async () => {
  const [one, other] = [lease('scheduler'), lease('scheduler')];
  await one.take();
  await lapse();
  expect(await other.take()).toBe(true);
  clock.steady = 4_000;
  await expect(one.renewIfDue()).rejects.toThrow(LeaseLost);
  expect([one.isHeld, other.isHeld]).toEqual([false, true]);
});

test('it is current for as long as it lasts, from when it was last asked for', async () => {
  const one = lease('scheduler');
  expect(one.isCurrent).toBe(false);
  await one.take();
  clock.steady = 4_999;
  expect(one.isCurrent).toBe(true);
  clock.steady = 5_000;
  expect([one.isCurrent, one.isHeld]).toEqual([false, true]);
  await one.renewIfDue();
  expect(one.isCurrent).toBe(true);
});

test('it is renewed after three tenths of its time, not before', async () => {
  const one = lease('scheduler');
  await one.take();
  await lapse();
  clock.steady = 1_499;
  await one.renewIfDue();
  expect(await lease('scheduler').take()).toBe(true);
});
