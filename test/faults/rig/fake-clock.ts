import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs';

const LIBRARY_FOLDER = '/usr/lib';
/** A process looks into its file every two seconds or so: that long after a change its clock is certainly the new one. */
export const SEEN_AFTER_MS = 2_500;

/** The wall clock of one process, which a test moves while the process runs (libfaketime). */
export class FakeClock {
  readonly #file: string;
  readonly #library: string;

  /** `file` is where the process reads what its clock is ahead. */
  constructor(file: string, library: string) {
    this.#file = file;
    this.#library = library;
    this.set(0);
  }

  /** So many seconds ahead of the true time (negative: behind), within two seconds from now. */
  set(seconds: number): void {
    // In one step: a file that is being written would be no time at all.
    writeFileSync(`${this.#file}.new`, `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}\n`);
    renameSync(`${this.#file}.new`, this.#file);
  }

  /** What the process needs in its environment. Its monotonic clock, by which it waits, stays true. */
  get environment(): NodeJS.ProcessEnv {
    return {
      LD_PRELOAD: this.#library,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
    };
  }
}

/** Where libfaketime lies (Debian: the package faketime); null where it is not installed. */
export function findFakeTimeLibrary(): string | null {
  if (process.platform !== 'linux') return null;
  const places = readdirSync(LIBRARY_FOLDER).map(
    (name) => `${LIBRARY_FOLDER}/${name}/faketime/libfaketimeMT.so.1`,
  );
  return places.find((place) => existsSync(place)) ?? null;
}
