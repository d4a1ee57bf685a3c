import { readdirSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { parsePosition } from '../../../engine/domain/position.ts';
import type { StoredEntry } from '../../../engine/journal/entry.ts';
import { KEYS } from '../../../engine/redis/keys.ts';

/** A journal entry as Redis has written it down. */
export interface WrittenEntry extends StoredEntry {
  /** Where the block that it is written in begins and ends, in bytes: torn anywhere in between, all of it is rolled back. */
  readonly from: number;
  readonly to: number;
}

/** What a Redis that was killed has written down since the last rewrite; a power cut takes any part of its end. */
export class AppendOnlyFile {
  readonly size: number;
  readonly entries: readonly WrittenEntry[];
  readonly #path: string;
  readonly #folder: string;

  /** Reads the file of the Redis with that data directory, which must not run. */
  constructor(dataDirectory: string) {
    this.#folder = join(dataDirectory, 'appendonlydir');
    const name = readdirSync(this.#folder)
      .filter((file) => file.endsWith('.incr.aof'))
      .sort((a, b) => numberOf(a) - numberOf(b))
      .at(-1);
    if (!name) throw new Error(`${this.#folder} has no incremental file`);
    this.#path = join(this.#folder, name);
    this.size = statSync(this.#path).size;
    this.entries = findEntries(readFileSync(this.#path));
  }

  /** The first `bytes` stay; answers the entries that are gone. */
  cut(bytes: number): WrittenEntry[] {
    truncateSync(this.#path, bytes);
    return this.entries.filter(({ to }) => to > bytes);
  }

  /** Nothing stays, what was rewritten before neither; answers the entries that are gone. */
  remove(): readonly WrittenEntry[] {
    rmSync(this.#folder, { recursive: true });
    return this.entries;
  }
}

const numberOf = (file: string) => Number(/\.(\d+)\.incr/.exec(file)?.[1]);

/** Commands in the protocol of Redis, one after the other; what a script has done stands between MULTI and EXEC. */
function findEntries(bytes: Buffer): WrittenEntry[] {
  const entries: WrittenEntry[] = [];
  let block: { from: number; entries: StoredEntry[] } | null = null;
  for (let from = 0; from < bytes.length; ) {
    const command = readCommand(bytes, from);
    if (!command) break; // torn already
    const [name, key] = command.words;
    // XADD key [NOMKSTREAM] id field value
    const [id, , content] = command.words.slice(-3);
    block ??= { from, entries: [] };
    if (name!.equals(XADD) && key!.equals(JOURNAL))
      block.entries.push({ position: parsePosition(id!.toString('latin1')), content: Buffer.from(content!) });
    const isInside = name!.equals(MULTI) || (block.from !== from && !name!.equals(EXEC));
    if (!isInside) {
      for (const entry of block.entries) entries.push({ ...entry, from: block.from, to: command.end });
      block = null;
    }
    from = command.end;
  }
  return entries;
}

const [XADD, MULTI, EXEC, JOURNAL] = ['XADD', 'MULTI', 'EXEC', KEYS.journal].map((text) =>
  Buffer.from(text),
) as [Buffer, Buffer, Buffer, Buffer];

/** `*2\r\n$4\r\nPING\r\n…`, as views; null when it is not whole. */
function readCommand(bytes: Buffer, from: number): { words: Buffer[]; end: number } | null {
  const head = readNumber(bytes, from);
  if (!head) return null;
  const words: Buffer[] = [];
  let at = head.end;
  for (let left = head.number; left > 0; left--) {
    const length = readNumber(bytes, at);
    if (!length || length.end + length.number + 2 > bytes.length) return null;
    words.push(bytes.subarray(length.end, length.end + length.number));
    at = length.end + length.number + 2;
  }
  return { words, end: at };
}

/** A line of a mark and a number. */
function readNumber(bytes: Buffer, from: number): { number: number; end: number } | null {
  const end = bytes.indexOf('\r\n', from);
  return end === -1 ? null : { number: Number(bytes.toString('latin1', from + 1, end)), end: end + 2 };
}
