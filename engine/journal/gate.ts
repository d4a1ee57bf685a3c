import { setTimeout as pause } from 'node:timers/promises';
import type { Database } from '../database/database.ts';
import type { Witness } from '../database/statements/read-witnesses.ts';
import { NotAccepting } from '../domain/fault.ts';
import { comparePositions, formatPosition, ORIGIN, type Position } from '../domain/position.ts';
import type { RedisClient } from '../redis/client.ts';
import { markVetted, readJournalState } from '../redis/journal-state.ts';
import { KEYS } from '../redis/keys.ts';
import { findServerFaults, type ServerNeeds } from '../redis/server-check.ts';
import { systemClock } from '../runtime/clock.ts';
import { within } from '../runtime/deadline.ts';
import type { Logger } from '../runtime/logger.ts';
import { runPeriodically } from '../runtime/periodic.ts';
import { BacklogBound } from './backlog-bound.ts';
import { Closings, isDoubt } from './closings.ts';
import { findFaults, isWritten, readStanding, type Standing, silentSince } from './standing.ts';

export interface GateOptions {
  readonly redis: RedisClient;
  readonly database: Database;
  readonly needs: ServerNeeds;
  readonly logger: Logger;
  /** The id under which this process says what it has acknowledged: it need not wait for itself. */
  readonly processId?: string;
  /** Called when the gate closes: now is the time to say what this process has acknowledged. */
  readonly onClosed?: () => void;
  /** How much may wait for MariaDB; derived from Redis's memory when absent. */
  readonly bound?: BacklogBound | undefined;
}

const FIRST_EPOCH = 1;
const CHECK_AGAIN_MS = 250;
const WATCH_EVERY_MS = 1_000;
const ANSWER_WITHIN_MS = 2_000;
const COMPARE_WITHIN_MS = 10_000;
/** A process that was heard of so recently is alive, and is waited for before Redis is believed. */
const ALIVE_MS = 5_000;

/**
 * Lets nothing be decided on a Redis that may have gone back in time (P6).
 *
 * - CLOSED: `epoch()` throws, with the reasons. Holds at start and from the moment the connection to Redis is lost:
 *   whoever answers next may be another server, or the same one with a shorter journal. Redis, MariaDB's checkpoint
 *   and what every process has acknowledged are compared again and again until nothing stands against opening. What
 *   does, a recovery mends: the writer's own where that is sure to lose nothing, else an operator's (`bootakhae recover`).
 * - OPEN: `epoch()` is the epoch in force. Left when the connection is lost, and when a look at Redis, taken once a
 *   second, finds settings that break a promise, a full memory or journal, another epoch, another run (a restart, a
 *   promotion, another replication id), a recovery, or no answer. MariaDB is not asked then: orders go on while it is away.
 *
 * The gate also keeps what this process has acknowledged: the process says so to the others, who must not believe a
 * Redis whose journal ends before that.
 */
export class Gate {
  /** How often it closed, and why. */
  readonly closings = new Closings();
  readonly bound: BacklogBound;
  readonly #options: GateOptions;
  #reasons: readonly string[] = ['Redis is not reached yet'];
  #epoch = 0;
  /** The run of Redis that the gate is open on. */
  #run = '';
  #acknowledged: Position = ORIGIN;
  /** Where the journal ended when it was last looked at. */
  #end: Position = ORIGIN;
  /** MariaDB's clock when Redis was first looked at after the gate closed; null = not yet. */
  #closedAt: number | null = null;
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

  /** Those of the reasons for which Redis is not to be believed: who only reads must not either. */
  get doubts(): readonly string[] {
    return this.#reasons.filter(isDoubt);
  }

  /** The epoch in force. Throws `NotAccepting` while the gate is closed. */
  epoch(): number {
    if (this.#reasons.length > 0) throw new NotAccepting(this.#reasons.join('; '));
    return this.#epoch;
  }

  /** The last journal entry about which this process has told anybody; ORIGIN = none. */
  get acknowledged(): Position {
    return this.#acknowledged;
  }

  /** Notes that a caller is about to be told of the entry at `position`. */
  acknowledge(position: Position): void {
    if (comparePositions(position, this.#acknowledged) > 0) this.#acknowledged = position;
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
    if (this.#reasons.length === 0) {
      this.#closedAt = null;
      this.#options.onClosed?.();
    }
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
    const acknowledged = this.#acknowledged; // before the journal is read: it can only have grown since
    const { epoch, recovering, run, last, missing } = await readJournalState(redis);
    if (epoch !== this.#epoch) faults.push(`Redis's epoch is ${epoch}, it was ${this.#epoch}`);
    if (recovering !== null) faults.push(`Redis is being rebuilt, as epoch ${recovering}`);
    if (run !== this.#run)
      faults.push('Redis is another than it was: restarted, promoted or given other data');
    if (missing.length > 0) faults.push(`Redis has lost data: its ${missing.join(' and ')} are gone`);
    if (comparePositions(last, this.#end) < 0 || comparePositions(last, acknowledged) < 0)
      faults.push(`Redis has lost data: its journal ends at ${formatPosition(last)}, it was longer`);
    else this.#end = last;
    return faults;
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
      const reasons = (await this.#silence()) ?? (await this.#comparison());
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

  /** Why there is nothing to compare, said apart: MariaDB is not to be suspected when it is Redis that does not answer. */
  async #silence(): Promise<string[] | null> {
    const answer = this.#options.redis.ping().catch(() => null); // what it refuses the comparison tells
    return await within(ANSWER_WITHIN_MS, answer).then(
      () => null,
      (error: Error) => [`cannot compare: Redis gives ${error.message}`],
    );
  }

  async #comparison(): Promise<string[]> {
    return await within(COMPARE_WITHIN_MS, this.#compare()).catch((error: Error) => [
      `cannot compare: ${error.message}`,
    ]);
  }

  /** What stands against opening, a sentence each. Begins the first epoch where nothing was ever written. */
  async #compare(): Promise<string[]> {
    const { redis, database } = this.#options;
    const faults = await this.#findFaults();
    if (faults.length > 0) return faults;
    const standing = this.#withOwn(await readStanding(redis, database));
    const reasons = [...findFaults(standing).map(({ reason }) => reason), ...this.#awaited(standing)];
    if (reasons.length > 0) return reasons;
    if (!isWritten(standing)) await redis.set(KEYS.epoch, FIRST_EPOCH, 'NX');
    this.#epoch = standing.journal.epoch || Number(await redis.get(KEYS.epoch));
    this.#run = standing.journal.run;
    this.#end = standing.journal.last;
    if (standing.journal.vetted !== this.#run) await markVetted(redis, this.#run);
    return [];
  }

  /** What this process knows of itself needs no MariaDB to be known. */
  #withOwn(standing: Standing): Standing {
    const { witnesses, now } = standing.testimony;
    const { processId: id = '' } = this.#options;
    const own: Witness = { ...HERE, id, acknowledged: this.#acknowledged, seenAt: now };
    const others = witnesses.filter((witness) => witness.id !== id);
    return { ...standing, testimony: { now, witnesses: [...others, own] } };
  }

  /** On a run that nobody has vetted yet, whoever is alive must first say what it has acknowledged. */
  #awaited({ journal, testimony }: Standing): string[] {
    this.#closedAt ??= testimony.now;
    if (journal.run === journal.vetted) return [];
    const silent = silentSince(testimony, this.#closedAt);
    const alive = silent.filter(({ seenAt }) => testimony.now - seenAt < ALIVE_MS);
    return alive.map(
      ({ kind, host, pid }) => `waiting to hear what ${kind} ${pid} on ${host} has acknowledged`,
    );
  }
}

/** This process among the witnesses. */
const HERE = { kind: 'api', host: 'here', pid: process.pid, isStopped: true, isOpen: false } as const;
