import { setTimeout as pause } from 'node:timers/promises';
import type { Database } from '../database/database.ts';
import { readCheckpoint } from '../database/statements/read-checkpoint.ts';
import { NotAccepting } from '../domain/fault.ts';
import { comparePositions, follows, formatPosition, ORIGIN, type Position } from '../domain/position.ts';
import type { RedisClient } from '../redis/client.ts';
import { readFirstPosition, readLastPosition } from '../redis/journal-stream.ts';
import { KEYS } from '../redis/keys.ts';
import { findServerFaults, type ServerNeeds } from '../redis/server-check.ts';
import { systemClock } from '../runtime/clock.ts';
import { within } from '../runtime/deadline.ts';
import type { Logger } from '../runtime/logger.ts';
import { runPeriodically } from '../runtime/periodic.ts';
import { BacklogBound } from './backlog-bound.ts';
import { Closings } from './closings.ts';

export interface GateOptions {
  readonly redis: RedisClient;
  readonly database: Database;
  readonly needs: ServerNeeds;
  readonly logger: Logger;
  /** How much may wait for MariaDB; derived from Redis's memory when absent. */
  readonly bound?: BacklogBound | undefined;
}

const FIRST_EPOCH = 1;
const CHECK_AGAIN_MS = 250;
const WATCH_EVERY_MS = 1_000;
const ANSWER_WITHIN_MS = 2_000;
const COMPARE_WITHIN_MS = 10_000;

/**
 * Lets nothing be decided on a Redis that may have gone back in time (P6).
 *
 * - CLOSED: `epoch()` throws, with the reasons. Holds at start and from the moment the connection to Redis is lost:
 *   whoever answers next may be another server, or the same one with a shorter journal. Redis and MariaDB's
 *   checkpoint are compared again and again until nothing stands against opening.
 * - OPEN: `epoch()` is the epoch in force. Left when the connection is lost, and when a look at Redis, taken once a
 *   second, finds settings that break a promise, a full memory or journal, another epoch, or no answer. MariaDB is not asked
 *   then: orders go on while it is away.
 */
export class Gate {
  /** How often it closed, and why. */
  readonly closings = new Closings();
  readonly bound: BacklogBound;
  readonly #options: GateOptions;
  #reasons: readonly string[] = ['Redis is not reached yet'];
  #epoch = 0;
  #checking = false;
  /** How often the connection was lost: what was read before says nothing about who answers after. */
  #losses = 0;
  #stopped = false;
  #stopWatching: () => Promise<void> = async () => undefined;
  #whenOpen: (() => void)[] = [];

  constructor(options: GateOptions) {
    this.#options = options;
    this.bound = options.bound ?? new BacklogBound({ limits: { entries: 0, bytes: 0 }, clock: systemClock });
  }

  /** Begins to watch the connection and to compare. */
  start(): void {
    const { redis } = this.#options;
    redis.on('close', () => {
      this.#losses += 1;
      this.#close(['Redis is away']);
    });
    redis.on('ready', () => this.#check());
    if (redis.status === 'ready') this.#check();
    this.#stopWatching = runPeriodically({
      name: 'watch Redis',
      everyMs: WATCH_EVERY_MS,
      logger: this.#options.logger,
      run: () => this.#watch(),
    });
  }

  stop(): void {
    this.#stopped = true;
    void this.#stopWatching();
  }

  /** Why orders are refused now; empty = the gate is open. */
  get reasons(): readonly string[] {
    return this.#reasons;
  }

  /** The epoch in force. Throws `NotAccepting` while the gate is closed. */
  epoch(): number {
    if (this.#reasons.length > 0) throw new NotAccepting(this.#reasons.join('; '));
    return this.#epoch;
  }

  /** Resolves when the gate is open; rejects after `withinMs` with the reasons why it is not. */
  async whenOpen(withinMs: number): Promise<void> {
    if (this.#reasons.length === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new NotAccepting(this.#reasons.join('; '))), withinMs);
    });
    const opened = new Promise<void>((resolve) => this.#whenOpen.push(resolve));
    await Promise.race([opened, late]).finally(() => clearTimeout(timer));
  }

  #close(reasons: readonly string[]): void {
    const said = this.#reasons.join();
    this.#reasons = reasons;
    if (said === reasons.join()) return;
    this.closings.note(reasons);
    this.#options.logger.warn({ reasons }, 'gate closed');
  }

  /** While the gate is open: closes it when Redis is not what it was when it was opened. */
  async #watch(): Promise<void> {
    if (this.#reasons.length > 0) return;
    const losses = this.#losses;
    const reasons = await within(ANSWER_WITHIN_MS, this.#look()).catch((error: Error) => [
      `Redis: ${error.message}`,
    ]);
    if (reasons.length === 0 || losses !== this.#losses) return;
    this.#close(reasons);
    this.#check();
  }

  async #look(): Promise<string[]> {
    const { redis } = this.#options;
    const faults = await this.#findFaults();
    const epoch = Number(await redis.get(KEYS.epoch));
    return epoch === this.#epoch ? faults : [...faults, `Redis's epoch is ${epoch}, it was ${this.#epoch}`];
  }

  /** The bound is looked at even where something else is wrong, so that the figures of the backlog stay fresh. */
  async #findFaults(): Promise<string[]> {
    const { redis, needs } = this.#options;
    const full = await this.bound.look(redis);
    const faults = await findServerFaults(redis, needs);
    return full === null ? faults : [...faults, full];
  }

  #check(): void {
    if (this.#checking) return;
    this.#checking = true;
    void this.#checkUntilOpen().finally(() => {
      this.#checking = false;
    });
  }

  async #checkUntilOpen(): Promise<void> {
    while (!this.#stopped && this.#options.redis.status === 'ready') {
      const losses = this.#losses;
      const reasons = await within(COMPARE_WITHIN_MS, this.#compare()).catch((error: Error) => [
        `cannot compare: ${error.message}`,
      ]);
      if (reasons.length === 0 && losses === this.#losses) return this.#open();
      this.#close(reasons.length > 0 ? reasons : ['Redis was lost during the comparison']);
      await pause(CHECK_AGAIN_MS, undefined, { ref: false });
    }
  }

  #open(): void {
    this.#reasons = [];
    this.#options.logger.info({ epoch: this.#epoch }, 'gate open');
    for (const resolve of this.#whenOpen.splice(0)) resolve();
  }

  /**
   * What stands against opening, a sentence each. Begins the first epoch where nothing was ever written.
   *
   * Others order and drain meanwhile, so the order of reading matters: the journal's first entry before the
   * checkpoint, its last one after it. Whatever moves in between can then only make the two look closer.
   */
  async #compare(): Promise<string[]> {
    const { redis, database } = this.#options;
    const faults = await this.#findFaults();
    if (faults.length > 0) return faults;
    const first = await readFirstPosition(redis);
    const checkpoint = await readCheckpoint(database);
    const last = await readLastPosition(redis);
    if (comparePositions(last, checkpoint) < 0) return [behind(last, checkpoint)];
    if (first && comparePositions(first, checkpoint) > 0 && !follows(checkpoint, first))
      return [gap(checkpoint, first)];
    if (comparePositions(last, ORIGIN) === 0) await redis.set(KEYS.epoch, FIRST_EPOCH, 'NX');
    this.#epoch = Number(await redis.get(KEYS.epoch));
    return this.#epoch >= Math.max(last.epoch, FIRST_EPOCH)
      ? []
      : [`Redis's epoch is ${this.#epoch}, its journal is at ${formatPosition(last)}`];
  }
}

function behind(last: Position, checkpoint: Position): string {
  return `Redis has lost data: its journal ends at ${formatPosition(last)}, MariaDB is at ${formatPosition(checkpoint)}`;
}

function gap(checkpoint: Position, next: Position): string {
  return `the journal has a gap: MariaDB is at ${formatPosition(checkpoint)}, the next entry is ${formatPosition(next)}`;
}
