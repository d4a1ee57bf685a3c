import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Database } from '../database/database.ts';
import { purgeProcesses } from '../database/statements/purge-processes.ts';
import { upsertProcess } from '../database/statements/upsert-process.ts';
import type { Position } from '../domain/position.ts';
import type { RedisClient } from '../redis/client.ts';
import { mirrorProcess, sweepMirror } from '../redis/process-mirror.ts';
import type { Clock } from '../runtime/clock.ts';
import { within } from '../runtime/deadline.ts';
import type { Logger } from '../runtime/logger.ts';
import { runPeriodically } from '../runtime/periodic.ts';
import { VERSION } from '../runtime/version.ts';
import type { BreakerState, ProcessCard, ProcessReport } from './report.ts';

export interface HeartbeatOptions {
  readonly kind: 'api' | 'writer' | 'scheduler';
  readonly redis: RedisClient;
  /** Best a pool of its own: one that is full of statements which wait for a stalled MariaDB would silence it. */
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where it answers HTTP; null until it does. */
  readonly url: () => string | null;
  /** The last journal entry about which it has told a caller; ORIGIN for who tells nobody. */
  readonly acknowledged: () => Position;
  /** What else it says; `breakers` are those of other connections than these two. */
  readonly report: () => Partial<ProcessReport>;
}

const EVERY_MS = 1_000;
const WITHIN_MS = 1_500;
const HOUR_MS = 3_600_000;
const KEEP_MIRRORED_MS = 24 * HOUR_MS;

/**
 * Says once a second that a process is there, and what it is at: in MariaDB, where it is a witness of what was acknowledged, and
 * in Redis, so that `bootakhae status` works while MariaDB is away.
 *
 * Nothing depends on it. A server that is away or stalled costs one statement that waits, never two; what fails is tried again
 * with the next beat; nothing is thrown.
 */
export class Heartbeat {
  readonly id = randomUUID();
  readonly #options: HeartbeatOptions;
  readonly #startedAt: string;
  readonly #writes: { readonly redis: LoneWrite; readonly mariadb: LoneWrite };
  #isStopped = false;
  #sweptAtMs = Number.NEGATIVE_INFINITY;
  #stopBeating: () => Promise<void> = async () => undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#startedAt = new Date(options.clock.nowMs()).toISOString();
    const { logger } = options;
    this.#writes = { redis: new LoneWrite('Redis', logger), mariadb: new LoneWrite('MariaDB', logger) };
  }

  start(): void {
    const { logger } = this.#options;
    const run = () => this.beat();
    this.#stopBeating = runPeriodically({ name: 'heartbeat', everyMs: EVERY_MS, logger, run });
  }

  /** Resolves when both servers have it, or after 1.5 s. Never rejects. */
  async beat(): Promise<void> {
    // A process that was held up may have answers of Redis lying in its sockets: first those are read, and what they
    // acknowledge is in what is said here.
    await nextTurn();
    const card = this.#card();
    const { redis, database } = this.#options;
    const row = { ...card, report: JSON.stringify(card.report) };
    await Promise.all([
      // Not before it is connected: `breakers` says so, and the log need not say it at every start.
      redis.status === 'ready' && this.#writes.redis.run(() => mirrorProcess(redis, this.id, card)),
      this.#writes.mariadb.run(() => upsertProcess(database, row)),
    ]);
    await this.#sweepHourly();
  }

  /** Marks the process as ended in order; resolves within a few seconds whatever the servers do. */
  async stop(): Promise<void> {
    await this.#stopBeating();
    this.#isStopped = true;
    await this.beat();
  }

  /** Whether each of the two took the last beat. */
  get breakers(): { readonly redis: BreakerState; readonly mariadb: BreakerState } {
    const isReady = this.#options.redis.status === 'ready';
    return { redis: isReady ? this.#writes.redis.state : 'open', mariadb: this.#writes.mariadb.state };
  }

  #card(): ProcessCard {
    const { kind, url, acknowledged, report } = this.#options;
    const said = report();
    const breakers = { ...this.breakers, ...said.breakers };
    return {
      id: this.id,
      kind,
      host: hostname(),
      pid: process.pid,
      version: VERSION,
      url: url(),
      startedAt: this.#startedAt,
      acknowledged: acknowledged(),
      isStopped: this.#isStopped,
      report: { ...said, breakers },
    };
  }

  async #sweepHourly(): Promise<void> {
    const { redis, database, clock } = this.#options;
    if (this.#isStopped || clock.monotonicMs() - this.#sweptAtMs < HOUR_MS) return;
    this.#sweptAtMs = clock.monotonicMs();
    await Promise.all([
      this.#writes.redis.run(() => sweepMirror(redis, KEEP_MIRRORED_MS)),
      this.#writes.mariadb.run(() => purgeProcesses(database)),
    ]);
  }
}

/** Writes to one server, one at a time: while one waits the next is left out. */
class LoneWrite {
  readonly #server: string;
  readonly #logger: Logger;
  #pending: Promise<void> | null = null;
  state: BreakerState = 'closed';

  constructor(server: string, logger: Logger) {
    this.#server = server;
    this.#logger = logger;
  }

  /** Resolves when it is done, has failed, or has taken too long. */
  async run(write: () => Promise<void>): Promise<void> {
    this.#pending ??= this.#settle(write);
    await within(WITHIN_MS, this.#pending).catch((error: Error) => this.#turn('open', error));
  }

  async #settle(write: () => Promise<void>): Promise<void> {
    try {
      await write();
      this.#turn('closed');
    } catch (error) {
      this.#turn('open', error as Error);
    } finally {
      this.#pending = null;
    }
  }

  /** Said once, not once a second. */
  #turn(state: BreakerState, error?: Error): void {
    if (state === this.state) return;
    this.state = state;
    if (error) this.#logger.warn({ error: error.message }, `heartbeat: ${this.#server} does not take it`);
    else this.#logger.info(`heartbeat: ${this.#server} takes it again`);
  }
}
