import type { RedisClient } from './client.ts';
import { KEYS } from './keys.ts';

/**
 * What the journal takes of Redis's memory, in bytes. Every node of the stream is looked at: Redis's own five samples are
 * its oldest ones, and say less than half when orders come in larger calls than they did when the backlog began. That costs
 * Redis about 40 ns a node: 4 ms for a journal of half a gigabyte.
 */
export async function measureJournalBytes(redis: RedisClient): Promise<number> {
  return Number((await redis.memory('USAGE', KEYS.journal, 'SAMPLES', 0)) ?? 0);
}

/** What Redis may use of memory, in bytes: its maxmemory, or where that is not set all that the machine has. */
export async function readMemoryLimit(redis: RedisClient): Promise<number> {
  const memory = await redis.info('memory');
  const read = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(memory)?.[1] ?? 0);
  return read('maxmemory') || read('total_system_memory');
}
