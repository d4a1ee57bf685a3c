import { setTimeout as pause } from 'node:timers/promises';
import type { RedisClient } from '../../engine/redis/client.ts';
import { countEntries } from '../../engine/redis/journal-stream.ts';
import type { LagResult } from './run-result.ts';

const SAMPLE_MS = 100;
const WATCH_MS = 5;
const GIVE_UP_MS = 300_000;
/** Entries by which the last quarter may be deeper by chance. */
const SLACK_ENTRIES = 64;

/** Samples how many journal entries MariaDB lacks, until it is stopped. */
export class LagMeter {
  readonly #redis: RedisClient;
  readonly #startedAt = performance.now();
  readonly #samples: { at: number; entries: number }[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(redis: RedisClient) {
    this.#redis = redis;
    this.#timer = setInterval(() => void this.#sample(), SAMPLE_MS);
  }

  /** Ends the sampling, waits until the lag is zero and says how it went. */
  async finish(): Promise<LagResult> {
    clearInterval(this.#timer);
    const samples = [...this.#samples];
    const ended = performance.now();
    await untilDrained(this.#redis);
    return {
      samples,
      most: Math.max(0, ...samples.map(({ entries }) => entries)),
      bounded: isBounded(samples.map(({ entries }) => entries)),
      secondsUntilZero: (performance.now() - ended) / 1_000,
    };
  }

  async #sample(): Promise<void> {
    const entries = await countEntries(this.#redis);
    this.#samples.push({ at: (performance.now() - this.#startedAt) / 1_000, entries });
  }
}

function isBounded(depths: readonly number[]): boolean {
  const quarter = Math.floor(depths.length / 4);
  const mean = (part: readonly number[]) => part.reduce((sum, depth) => sum + depth, 0) / (part.length || 1);
  const [second, last] = [mean(depths.slice(quarter, 2 * quarter)), mean(depths.slice(-quarter))];
  return last <= 1.5 * second + SLACK_ENTRIES;
}

/** Resolves when MariaDB has committed the whole journal. */
export async function untilDrained(redis: RedisClient): Promise<void> {
  const deadline = Date.now() + GIVE_UP_MS;
  while ((await countEntries(redis)) > 0) {
    if (Date.now() > deadline)
      throw new Error(`the journal was not drained within ${GIVE_UP_MS / 1_000} s: see the writer's log`);
    await pause(WATCH_MS);
  }
}
