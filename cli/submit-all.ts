import { type BatchCommand, Batcher } from '../engine/redis/batcher.ts';
import type { LaneOptions } from '../engine/redis/lane.ts';
import { withOpenGate } from './open-gate.ts';

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
  const { command, items, itemsOfCall } = submission;
  const bounds = { itemsOfCall, itemsWaiting: items.length };
  return await withOpenGate(data, async ({ lane }) => {
    const batcher = createBatcher(lane, command, bounds);
    return await Promise.all(items.map((item) => batcher.submit(item)));
  });
}

/** A batcher as the api has one, for what a command does behind an open gate. */
export function createBatcher<Item, Outcome>(
  lane: LaneOptions,
  command: BatchCommand<Item, Outcome>,
  { itemsOfCall, itemsWaiting }: { readonly itemsOfCall: number; readonly itemsWaiting: number },
): Batcher<Item, Outcome> {
  const waitMs = Number.POSITIVE_INFINITY;
  const bounds = { itemsOfCall, weightOfCall: itemsOfCall, itemsWaiting, waitMs, lanes: 1 };
  return new Batcher({ ...lane, command, bounds });
}
