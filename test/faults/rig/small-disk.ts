import { spawnSync } from 'node:child_process';
import { mkdirSync, statfsSync } from 'node:fs';

const PAGE = 4_096;
/** Somebody writes while the disk is made full. */
const MAX_TRIES = 50;

/** A disk in memory, for one server's data, that can be made full. Takes root; see `canMount`. */
export class SmallDisk {
  readonly path: string;
  readonly #bytes: number;

  private constructor(path: string, bytes: number) {
    this.path = path;
    this.#bytes = bytes;
  }

  /** Mounts it at `path`, which is made. Throws what mount(8) says. */
  static mount(path: string, megabytes: number): SmallDisk {
    const bytes = megabytes * 2 ** 20;
    mkdirSync(path, { recursive: true });
    run('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=700`, 'tmpfs', path]);
    return new SmallDisk(path, bytes);
  }

  /**
   * Not a byte more fits from now on: the disk shrinks to what is on it, which needs no file as large as the rest.
   */
  fill(): void {
    for (let tries = 1; ; tries++) {
      const { blocks, bfree, bsize } = statfsSync(this.path);
      const used = Math.max((blocks - bfree) * bsize, PAGE);
      if (this.#resize(used)) return;
      if (tries === MAX_TRIES) throw new Error(`${this.path} was not made full in ${tries} tries`);
    }
  }

  /** There is room again. */
  makeRoom(): void {
    if (!this.#resize(this.#bytes)) throw new Error(`${this.path} was not made larger`);
  }

  /** Gone when the last who uses it has ended. */
  unmount(): void {
    run('umount', ['--lazy', this.path]);
  }

  #resize(bytes: number): boolean {
    return spawnSync('mount', ['-o', `remount,size=${bytes}`, this.path]).status === 0;
  }
}

let mountable: boolean | null = null;

/** Whether this process may mount: root on Linux, in most containers not. */
export function canMount(): boolean {
  // In a namespace of its own, which ends at once and the mount with it.
  const words = ['--mount', 'mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', '/mnt'];
  mountable ??= spawnSync('unshare', words).status === 0;
  return mountable;
}

function run(command: string, words: string[]): void {
  const { status, stderr, error } = spawnSync(command, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${words.join(' ')}: ${error?.message ?? stderr.trim()}`);
}
