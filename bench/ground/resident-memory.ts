import { readFileSync } from 'node:fs';

/** Ms from one sample to the next. */
export const SAMPLE_MS = 250;
const KIBIBYTE = 1_024;

/** The resident memory of a process at an instant (ms since 1970). */
export interface MemorySample {
  readonly at: number;
  readonly bytes: number;
}

/** Samples how much memory a process has, four times a second, until it is stopped. Needs /proc. */
export class ResidentMemory {
  readonly #samples: MemorySample[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(pid: number) {
    this.#timer = setInterval(() => this.#sample(pid), SAMPLE_MS);
  }

  /** Ends the sampling; the samples between two instants, ms since 1970. */
  stop(start: number, end: number): MemorySample[] {
    clearInterval(this.#timer);
    return this.#samples.filter(({ at }) => at >= start && at <= end);
  }

  #sample(pid: number): void {
    const resident = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    if (resident) this.#samples.push({ at: Date.now(), bytes: Number(resident) * KIBIBYTE });
  }
}
