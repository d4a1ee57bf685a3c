import { type BatchCommand, Batcher } from '../engine/redis/batcher.ts';
import { systemClock } from '../engine/runtime/clock.ts';
import { CALL_DEADLINE_MS, type OpenShop, withOpenGate } from './open-gate.ts';

/** What to submit: `itemsOfCall` is how many the command's script takes at once. */
export interface Submission<Item, Outcome> {
  readonly command: BatchCommand<Item, Outcome>;
  readonly items: readonly Item[];
  readonly itemsOfCall: number;
}

/**
 * Has the engine decide `items`, as the api would, with the gate in front; resolves to their outcomes, in order, once
 * they are on disk. Rejects as `withOpenGate` and `Batcher.submit` do.
 */
export async function submitAll<Item, Outcome>(
  data: string,
  submission: Submission<Item, Outcome>,
): Promise<Outcome[]> {
  return await withOpenGate(data, async ({ redis, gate }) => {
    const { command, itemsOfCall } = submission;
    const bounds = { itemsOfCall, itemsWaiting: submission.items.length };
    const batcher = createBatcher({ redis, gate }, command, bounds);
    return await Promise.all(submission.items.map((item) => batcher.submit(item)));
  });
}

/** A batcher as the api has one, for what a command does behind an open gate. */
export function createBatcher<Item, Outcome>(
  { redis, gate }: Pick<OpenShop, 'redis' | 'gate'>,
  command: BatchCommand<Item, Outcome>,
  { itemsOfCall, itemsWaiting }: { readonly itemsOfCall: number; readonly itemsWaiting: number },
): Batcher<Item, Outcome> {
  return new Batcher({
    redis,
    clock: systemClock,
    epoch: () => gate.epoch(),
    deadlineMs: CALL_DEADLINE_MS,
    acknowledge: (position) => gate.acknowledge(position),
    command,
    bounds: {
      itemsOfCall,
      weightOfCall: itemsOfCall,
      itemsWaiting,
      waitMs: Number.POSITIVE_INFINITY,
      lanes: 1,
    },
  });
}
