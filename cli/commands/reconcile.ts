import { Command } from 'commander';
import { noteReconciliation } from '../../engine/processes/reconciliation-note.ts';
import type { RedisClient } from '../../engine/redis/client.ts';
import { systemClock } from '../../engine/runtime/clock.ts';
import type { Drift } from '../../writer/reconcile/drift.ts';
import { type Reconciliation, reconcile } from '../../writer/reconcile/reconcile.ts';
import { withDatabase, withRedis } from '../connections.ts';
import { CommandFailure } from '../failure.ts';
import { dataOption } from './data-option.ts';

const DRIFT = 1;
const COULD_NOT_COMPARE = 2;
const DRIFTS_SHOWN = 100;

/** `bootakhae reconcile`: exits with 0 when all agree, 1 on drift, 2 when it could not compare. */
export function reconcileCommand(): Command {
  return (
    new Command('reconcile')
      .description('compare Redis, the journal and MariaDB at one consistent cut')
      .option('--json', 'print the result as JSON')
      .addOption(dataOption())
      // A mistyped option compares nothing, and 1 would mean drift.
      .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : COULD_NOT_COMPARE))
      .action(async ({ json, data }: { json?: boolean; data: string }) => {
        const result = await compare(data);
        console.log(json ? JSON.stringify(result) : describe(result));
        if (!result.consistent) process.exitCode = DRIFT;
      })
  );
}

async function compare(data: string): Promise<Reconciliation> {
  try {
    return await withRedis(data, (redis) =>
      withDatabase(data, async (database) => {
        const result = await reconcile({ redis, database, clock: systemClock });
        await leaveWord(redis, result);
        return result;
      }),
    );
  } catch (error) {
    throw new CommandFailure(`could not compare: ${(error as Error).message}`, COULD_NOT_COMPARE);
  }
}

/** For metrics and status; the result stands whether Redis takes it or not. */
async function leaveWord(redis: RedisClient, result: Reconciliation): Promise<void> {
  const { consistent, drifts, cut, backlog } = result;
  const note = { at: systemClock.nowMs(), consistent, drifts: drifts.length, cut, backlog };
  await noteReconciliation(redis, note).catch(() => undefined);
}

function describe(result: Reconciliation): string {
  const { epoch, cut, backlog, levels, orders, drifts } = result;
  const compared = `${levels} levels and ${orders} orders at journal entry ${cut}, epoch ${epoch}, backlog ${backlog}`;
  if (result.consistent) return `consistent: ${compared}`;
  const shown = drifts.slice(0, DRIFTS_SHOWN).map(describeDrift);
  const more =
    drifts.length > DRIFTS_SHOWN
      ? [`  and ${drifts.length - DRIFTS_SHOWN} more (--json has all of them)`]
      : [];
  return [`DRIFT: ${drifts.length} found (${countKinds(drifts)}) in ${compared}`, ...shown, ...more].join(
    '\n',
  );
}

/** `3 level, 1 price`. */
function countKinds(drifts: readonly Drift[]): string {
  const counts = new Map<string, number>();
  for (const { kind } of drifts) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return Array.from(counts, ([kind, count]) => `${count} ${kind}`).join(', ');
}

function describeDrift({
  kind,
  sku,
  pool,
  user,
  order,
  redis,
  database,
  expected,
  difference,
}: Drift): string {
  const subject = [
    order && `order ${order}`,
    sku && `SKU ${sku}`,
    pool && `pool ${pool}`,
    user && `user ${user}`,
  ];
  const values = `redis ${redis ?? '-'}, database ${database ?? '-'}, expected ${expected ?? '-'}, off by ${difference ?? '?'}`;
  return `  ${kind.padEnd(12)} ${subject.filter(Boolean).join(', ')}: ${values}`;
}
