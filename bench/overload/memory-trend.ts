import type { MemorySample } from '../ground/resident-memory.ts';

/** Where a process's memory went in the second half of a load. */
export interface MemoryTrend {
  readonly firstBytes: number;
  readonly mostBytes: number;
  readonly lastBytes: number;
  /** By how much a straight line through the second half rises over that half, as a share of its mean. */
  readonly rise: number;
  /** How far the samples scatter about that line (two standard deviations), as a share of the mean. */
  readonly scatter: number;
  readonly flat: boolean;
}

const FLAT_RISE = 0.01;

/**
 * Whether memory has stopped growing. The rule: over the second half of the load (the first one fills queues, buffers
 * and the heap) a fitted line rises by less than 1 % of the mean, or by less than the samples scatter about it, which
 * a garbage-collected heap makes of nothing. Null with fewer than four samples.
 */
export function memoryTrend(samples: readonly MemorySample[]): MemoryTrend | null {
  const half = samples.slice(Math.floor(samples.length / 2));
  if (samples.length < 4) return null;
  const bytes = samples.map((sample) => sample.bytes);
  const { mean, slope, deviation } = fitLine(half);
  const rise = (slope * (half.at(-1)!.at - half[0]!.at)) / mean;
  const scatter = (2 * deviation) / mean;
  const flat = rise < Math.max(FLAT_RISE, scatter);
  return {
    firstBytes: bytes[0]!,
    mostBytes: Math.max(...bytes),
    lastBytes: bytes.at(-1)!,
    rise,
    scatter,
    flat,
  };
}

/** Least squares: bytes against ms. */
function fitLine(samples: readonly MemorySample[]): { mean: number; slope: number; deviation: number } {
  const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [middle, mean] = [meanOf(samples.map(({ at }) => at)), meanOf(samples.map(({ bytes }) => bytes))];
  const spread = meanOf(samples.map(({ at }) => (at - middle) ** 2));
  const slope = meanOf(samples.map(({ at, bytes }) => (at - middle) * (bytes - mean))) / (spread || 1);
  const errors = samples.map(({ at, bytes }) => (bytes - mean - slope * (at - middle)) ** 2);
  return { mean, slope, deviation: Math.sqrt(meanOf(errors)) };
}
