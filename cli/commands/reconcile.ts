import { Command } from 'commander';
import { systemClock } from '../../engine/runtime/clock.ts';
import type { Drift } from '../../writer/reconcile/compare.ts';
import { type Reconciliation, reconcile } from '../../writer/reconcile/reconcile.ts';
import { withDatabase, withRedis } from '../connections.ts';
import { CommandFailure } from '../failure.ts';
import { dataOption } from './data-option.ts';

const DRIFT = 1;
const COULD_NOT_COMPARE = 2;

/** `bootakhae reconcile`: exits with 0 when all agree, 1 on drift, 2 when it could not compare. */
export function reconcileCommand(): Command {
  return new Command('reconcile')
    .description('compare Redis, the journal and MariaDB at one consistent cut')
    .option('--json', 'print the result as JSON')
    .addOption(dataOption())
    .action(async ({ json, data }: { json?: boolean; data: string }) => {
      const result = await compare(data);
      console.log(json ? JSON.stringify(result) : describe(result));
      if (!result.consistent) process.exitCode = DRIFT;
    });
}

async function compare(data: string): Promise<Reconciliation> {
  try {
    return await withRedis(data, (redis) =>
      withDatabase(data, (database) => reconcile({ redis, database, clock: systemClock })),
    );
  } catch (error) {
    throw new CommandFailure(`could not compare: ${(error as Error).message}`, COULD_NOT_COMPARE);
  }
}

function describe(result: Reconciliation): string {
  const { epoch, cut, backlog, levels, orders, drifts } = result;
  const compared = `${levels} levels and ${orders} orders at journal entry ${cut}, epoch ${epoch}, backlog ${backlog}`;
  if (result.consistent) return `consistent: ${compared}`;
  return [`DRIFT: ${drifts.length} found in ${compared}`, ...drifts.map(describeDrift)].join('\n');
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
