import { comparePositions, follows, formatPosition, type Position } from '../../engine/domain/position.ts';
import { DamagedEntry } from '../../engine/journal/damage.ts';
import type { Entry, StoredEntry } from '../../engine/journal/entry.ts';
import type { RedisClient } from '../../engine/redis/client.ts';
import type { Instant } from '../../engine/redis/cut.ts';
import type { JournalPin } from '../../engine/redis/journal-pin.ts';
import { decodeEntry, readStoredEntriesAfter } from '../../engine/redis/journal-stream.ts';
import type { Clock } from '../../engine/runtime/clock.ts';
import { foldEntries } from '../fold.ts';
import { type Drift, driftOf } from './drift.ts';
import { Tally } from './tally.ts';

export interface JournalFollowerOptions {
  readonly redis: RedisClient;
  readonly pin: JournalPin;
  readonly clock: Clock;
  /** Where the snapshot of MariaDB stands. */
  readonly checkpoint: Position;
  /** Entries at or before it that the snapshot has set aside and not applied. */
  readonly deadLetters: readonly StoredEntry[];
}

/** Should this process die with the journal pinned, trimming goes on after that long. */
export const PIN_MS = 120_000;
const MOVE_PIN_EVERY_MS = 2_000;
const ENTRIES_OF_A_READ = 200;

/**
 * Follows the journal from MariaDB's snapshot on, to one instant of Redis after the other, and sums up what the entries
 * between do. What was read need not be kept any more: the pin goes along.
 */
export class JournalFollower {
  /** The readings of the journal that are possible (`compareKey`); one, unless entries were set aside. */
  readonly tallies: readonly Tally[];
  readonly drifts: Drift[] = [];
  /** Entries after the snapshot. */
  entries = 0;
  readonly #options: JournalFollowerOptions;
  #reached: Position;
  #last: Instant | null = null;
  #pinnedUntilMs: number;
  #hasGap = false;

  constructor(options: JournalFollowerOptions) {
    this.#options = options;
    this.#reached = options.checkpoint;
    this.#pinnedUntilMs = options.clock.nowMs() + PIN_MS;
    this.tallies = options.deadLetters.length === 0 ? [new Tally()] : [new Tally(), new Tally()];
    this.#addDeadLetters(options.deadLetters);
  }

  /** The last instant that was followed to. */
  get instant(): Instant {
    if (!this.#last) throw new Error('the journal was not followed anywhere yet');
    return this.#last;
  }

  /** Goes on to `instant`, which is not before the last one. Throws where Redis was lost or rebuilt meanwhile, or was read too slowly. */
  async advanceTo(instant: Instant): Promise<void> {
    this.#assertSameRedis(instant);
    this.#last = instant;
    if (comparePositions(instant.position, this.#options.checkpoint) < 0)
      return this.#noteGap(instant.position);
    while (comparePositions(this.#reached, instant.position) < 0) {
      const page = await this.#readPage(instant.position);
      this.#fold(page);
      if (page.length < ENTRIES_OF_A_READ) break;
    }
    if (comparePositions(this.#reached, instant.position) !== 0) this.#noteGap(instant.position);
    this.#reached = instant.position;
    await this.#movePin();
  }

  async #readPage(last: Position): Promise<StoredEntry[]> {
    const page = await readStoredEntriesAfter(this.#options.redis, this.#reached, {
      count: ENTRIES_OF_A_READ,
      last,
    });
    // Had the pin lapsed before this reading, entries could be missing that were there.
    if (this.#options.clock.nowMs() >= this.#pinnedUntilMs)
      throw new Error(`the comparison stood still for ${PIN_MS / 1_000} s: start it again`);
    return page;
  }

  #fold(page: readonly StoredEntry[]): void {
    const entries: Entry[] = [];
    for (const stored of page) {
      if (!follows(this.#reached, stored.position)) this.#noteGap(stored.position);
      this.#reached = stored.position;
      const entry = this.#decode(stored);
      if (entry) entries.push(entry);
    }
    this.entries += page.length;
    const changes = foldEntries(entries);
    for (const tally of this.tallies) tally.add(changes);
  }

  /** An entry of an unknown format is an upgrade that is due, and nothing can be compared before. */
  #decode(stored: StoredEntry): Entry | null {
    try {
      return decodeEntry(stored);
    } catch (error) {
      if (!(error instanceof DamagedEntry)) throw error;
      this.drifts.push(driftOf({ kind: 'journal', entry: formatPosition(stored.position) }));
      return null;
    }
  }

  #addDeadLetters(letters: readonly StoredEntry[]): void {
    for (const letter of letters) {
      this.drifts.push(driftOf({ kind: 'dead_letter', entry: formatPosition(letter.position) }));
      const entry = this.#decodeLetter(letter);
      const changes = foldEntries(entry ? [entry] : []);
      this.tallies.forEach((tally, at) => {
        tally.add(changes, { isOutOfOrder: at > 0 });
      });
    }
  }

  #decodeLetter(letter: StoredEntry): Entry | null {
    try {
      return decodeEntry(letter);
    } catch {
      this.drifts.push(driftOf({ kind: 'journal', entry: formatPosition(letter.position) }));
      return null;
    }
  }

  /** From the checkpoint to the cut there must be every entry, each following the one before. Said once. */
  #noteGap(cut: Position): void {
    if (this.#hasGap) return;
    this.#hasGap = true;
    const reached = this.#reached;
    const figures = {
      redis: cut.sequence,
      database: this.#options.checkpoint.sequence,
      expected: reached.sequence,
      difference: cut.epoch === reached.epoch ? cut.sequence - reached.sequence : null,
    };
    this.drifts.push(driftOf({ kind: 'journal', ...figures }));
  }

  #assertSameRedis({ epoch, position }: Instant): void {
    if (!this.#last) return;
    if (epoch !== this.#last.epoch)
      throw new Error(`Redis began epoch ${epoch} during the comparison: start it again`);
    if (comparePositions(position, this.#last.position) < 0)
      throw new Error('Redis went back in time during the comparison: start it again');
  }

  async #movePin(): Promise<void> {
    const now = this.#options.clock.nowMs();
    if (this.#pinnedUntilMs - now > PIN_MS - MOVE_PIN_EVERY_MS) return;
    await this.#options.pin.move(this.#reached, now + PIN_MS);
    this.#pinnedUntilMs = now + PIN_MS;
  }
}
