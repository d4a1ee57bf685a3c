import type { Database } from '../../engine/database/database.ts';
import { Gate } from '../../engine/journal/gate.ts';
import { type BatchCommand, Batcher } from '../../engine/redis/batcher.ts';
import type { RedisClient } from '../../engine/redis/client.ts';
import { systemClock } from '../../engine/runtime/clock.ts';
import { createLogger } from '../../engine/runtime/logger.ts';

const GATE_WITHIN_MS = 10_000;
const DEADLINE_MS = 10_000;
/** Items that wait at once: a million promises would cost more than the work, and each call moves those that wait up. */
const ITEMS_AT_ONCE = 4_096;

export interface EngineServers {
  readonly redis: RedisClient;
  readonly database: Database;
  readonly appendfsync: 'always' | 'everysec';
}

/** What the engine is to decide: `itemsOfCall` items of at most `weightOfCall` in one script call. */
export interface Decisions<Item, Outcome> {
  readonly command: BatchCommand<Item, Outcome>;
  readonly items: Iterable<Item>;
  readonly itemsOfCall: number;
  readonly weightOfCall: number;
  /** Calls in flight at once. */
  readonly lanes: number;
  /** Whether the outcome is the one that is wanted. */
  readonly isRight: (outcome: Outcome) => boolean;
}

/** Does something with the engine's gate open, as a process of the engine would. `epoch` is for its commands. */
export async function throughGate<Result>(
  { redis, database, appendfsync }: EngineServers,
  work: (epoch: () => number) => Promise<Result>,
): Promise<Result> {
  const gate = new Gate({ redis, database, logger: createLogger('bench', 'silent'), needs: { appendfsync } });
  gate.start();
  try {
    await gate.whenOpen(GATE_WITHIN_MS);
    return await work(() => gate.epoch());
  } finally {
    gate.stop();
  }
}

/**
 * Has the engine decide all items through its own batcher and script, without HTTP. Resolves to how many there were;
 * rejects when the outcome of one is not the right one.
 */
export async function decideAll<Item, Outcome>(
  servers: EngineServers,
  decisions: Decisions<Item, Outcome>,
): Promise<number> {
  return await throughGate(servers, async (epoch) => {
    const batcher = createBatcher(servers.redis, epoch, decisions);
    let count = 0;
    for (const items of chunksOf(decisions.items)) {
      const outcomes = await Promise.all(items.map((item) => batcher.submit(item)));
      const wrong = outcomes.find((outcome) => !decisions.isRight(outcome));
      if (wrong !== undefined) throw new Error(`while filling: ${JSON.stringify(wrong)}`);
      count += items.length;
    }
    return count;
  });
}

function createBatcher<Item, Outcome>(
  redis: RedisClient,
  epoch: () => number,
  { command, itemsOfCall, weightOfCall, lanes }: Decisions<Item, Outcome>,
): Batcher<Item, Outcome> {
  return new Batcher({
    redis,
    clock: systemClock,
    epoch,
    deadlineMs: DEADLINE_MS,
    command,
    bounds: {
      itemsOfCall,
      weightOfCall,
      itemsWaiting: ITEMS_AT_ONCE,
      waitMs: Number.POSITIVE_INFINITY,
      lanes,
    },
  });
}

function* chunksOf<Item>(items: Iterable<Item>): Iterable<Item[]> {
  let chunk: Item[] = [];
  for (const item of items) {
    if (chunk.push(item) < ITEMS_AT_ONCE) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}
