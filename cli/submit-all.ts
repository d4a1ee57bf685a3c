import type { Config } from '../engine/config/environment.ts';
import type { Database } from '../engine/database/database.ts';
import { BacklogBound } from '../engine/journal/backlog-bound.ts';
import { Gate } from '../engine/journal/gate.ts';
import { type BatchCommand, Batcher } from '../engine/redis/batcher.ts';
import type { RedisClient } from '../engine/redis/client.ts';
import { systemClock } from '../engine/runtime/clock.ts';
import { createLogger } from '../engine/runtime/logger.ts';
import { withDatabase, withRedis } from './connections.ts';
import { readSurroundings } from './surroundings.ts';

const GATE_WITHIN_MS = 10_000;
const DEADLINE_MS = 10_000;

/** What to submit: `itemsOfCall` is how many the command's script takes at once. */
export interface Submission<Item, Outcome> {
  readonly command: BatchCommand<Item, Outcome>;
  readonly items: readonly Item[];
  readonly itemsOfCall: number;
}

/**
 * Has the engine decide `items`, as the api would, with the gate in front; resolves to their outcomes, in order, once
 * they are on disk. `data`: the local stack that stands in for what the environment does not set. Rejects with
 * `NotAccepting` when the gate stays closed for 10 s, and as `Batcher.submit` does.
 */
export async function submitAll<Item, Outcome>(
  data: string,
  submission: Submission<Item, Outcome>,
): Promise<Outcome[]> {
  const config = readSurroundings(data, ['REDIS_APPENDFSYNC', 'JOURNAL_BYTES', 'JOURNAL_ENTRIES']);
  return await withRedis(data, (redis) =>
    withDatabase(data, async (database) => {
      const gate = openGate(redis, database, config);
      try {
        await gate.whenOpen(GATE_WITHIN_MS);
        const batcher = createBatcher(redis, gate, submission);
        return await Promise.all(submission.items.map((item) => batcher.submit(item)));
      } finally {
        gate.stop();
      }
    }),
  );
}

type GateConfig = Config<'REDIS_APPENDFSYNC' | 'JOURNAL_BYTES' | 'JOURNAL_ENTRIES'>;

function openGate(redis: RedisClient, database: Database, config: GateConfig): Gate {
  const needs = { appendfsync: config.REDIS_APPENDFSYNC };
  const limits = { bytes: config.JOURNAL_BYTES, entries: config.JOURNAL_ENTRIES };
  const bound = new BacklogBound({ limits, clock: systemClock });
  const gate = new Gate({ redis, database, logger: createLogger('cli', 'silent'), needs, bound });
  gate.start();
  return gate;
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
    deadlineMs: DEADLINE_MS,
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
