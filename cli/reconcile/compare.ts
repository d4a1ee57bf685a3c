import { NotAccepting, OutcomeUnknown } from '../../engine/domain/fault.ts';
import { noteReconciliation } from '../../engine/processes/reconciliation-note.ts';
import type { RedisClient } from '../../engine/redis/client.ts';
import { Lane } from '../../engine/redis/lane.ts';
import { systemClock } from '../../engine/runtime/clock.ts';
import { type FixResult, makeCompensations } from '../../writer/reconcile/fix.ts';
import { type Plan, planFixes } from '../../writer/reconcile/plan.ts';
import { compareAll, type Reconciliation } from '../../writer/reconcile/reconcile.ts';
import { withDatabase, withRedis } from '../connections.ts';
import { CommandFailure } from '../failure.ts';
import { withOpenGate } from '../open-gate.ts';
import { ProgressBar } from './progress-bar.ts';

export const DRIFT = 1;
export const COULD_NOT_COMPARE = 2;

/** A comparison, and the last compensation that had been made when it began. */
export interface Compared {
  readonly reconciliation: Reconciliation;
  readonly compensated: string;
}

/** Compares once. Throws a `CommandFailure` that says why it could not. */
export async function compareOnce(data: string): Promise<Compared> {
  const bar = new ProgressBar();
  try {
    return await withRedis(data, (redis) =>
      withDatabase(data, async (database) => {
        const compared = await compareAll({ redis, database, clock: systemClock, onProgress: bar.listener });
        await leaveWord(redis, compared.reconciliation);
        return compared;
      }),
    );
  } catch (error) {
    throw new CommandFailure(`could not compare: ${(error as Error).message}`, COULD_NOT_COMPARE);
  } finally {
    bar.stop();
  }
}

/** For metrics and status; the result stands whether Redis takes it or not. */
async function leaveWord(redis: RedisClient, result: Reconciliation): Promise<void> {
  const { consistent, drifts, cut, backlog } = result;
  const note = { at: systemClock.nowMs(), consistent, drifts: drifts.length, cut, backlog };
  await noteReconciliation(redis, note).catch(() => undefined);
}

/** What `--fix` makes of a comparison. */
export function planFor({ reconciliation }: Compared, reason: string): Plan {
  return planFixes(reconciliation.drifts, reason);
}

/** Does what was planned, as long as Redis is the one that was compared and nobody compensated since. */
export async function carryOut(data: string, plan: Plan, compared: Compared): Promise<FixResult> {
  const { epoch } = compared.reconciliation;
  try {
    return await withOpenGate(data, async (shop) => {
      const lane = new Lane(shop.lane);
      const options = { lane, clock: systemClock, epoch, since: compared.compensated };
      return await makeCompensations(plan.compensations, options);
    });
  } catch (error) {
    throw new CommandFailure(explain(error as Error), DRIFT);
  }
}

function explain(error: Error): string {
  if (error instanceof OutcomeUnknown)
    return `whether it was compensated is not known (${error.message}): run bootakhae reconcile to see`;
  if (error instanceof NotAccepting) return `nothing was compensated: ${error.message}`;
  return error.message;
}
