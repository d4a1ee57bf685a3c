import type { Latencies } from './job.ts';

/** Collects durations in ms, each exactly: an accepted order's tail is what is asked about. */
export class LatencyRecorder {
  #values = new Float64Array(1 << 16);
  #count = 0;

  add(milliseconds: number): void {
    if (this.#count === this.#values.length) this.#grow();
    this.#values[this.#count++] = milliseconds;
  }

  summary(): Latencies {
    const sorted = this.#values.slice(0, this.#count).sort();
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
    const mean = sorted.reduce((sum, value) => sum + value, 0) / (sorted.length || 1);
    return {
      count: sorted.length,
      mean,
      p50: at(0.5),
      p90: at(0.9),
      p99: at(0.99),
      p999: at(0.999),
      max: at(1),
    };
  }

  #grow(): void {
    const larger = new Float64Array(this.#values.length * 2);
    larger.set(this.#values);
    this.#values = larger;
  }
}
