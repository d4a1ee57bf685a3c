import type { Gate } from '../engine/journal/gate.ts';
import { type BatchCommand, Batcher } from '../engine/redis/batcher.ts';
import type { RedisClient } from '../engine/redis/client.ts';
import { systemClock } from '../engine/runtime/clock.ts';
import { CALL_DEADLINE_MS, withOpenGate } from './open-gate.ts';

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
    const batcher = createBatcher(redis, gate, submission);
    return await Promise.all(submission.items.map((item) => batcher.submit(item)));
  });
}

function createBatcher<Item, Outcome>(
  redis: RedisClient,
  gate: Gate,
  { command, items, itemsOfCall }: Submission<Item, Outcome>,
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
      itemsWaiting: items.length,
      waitMs: Number.POSITIVE_INFINITY,
      lanes: 1,
    },
  });
}
