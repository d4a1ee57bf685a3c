import { setTimeout as pause } from 'node:timers/promises';
import { ExponentialBackoff, type IBackoff } from 'cockatiel';
import type { Broker } from '../broker/broker.ts';
import type { Database } from '../database/database.ts';
import { Lease, LeaseLost } from '../database/lease.ts';
import { describeError } from '../database/refusal.ts';
import { deleteOutboxRows } from '../database/statements/delete-outbox-rows.ts';
import { hasOutboxRows } from '../database/statements/read-outbox-pages.ts';
import type { Clock } from '../runtime/clock.ts';
import { within } from '../runtime/deadline.ts';
import type { Logger } from '../runtime/logger.ts';
import { type OutboxPage, OutboxRun } from './outbox-run.ts';
import { outgoingOf } from './outgoing.ts';
import { OUTWARD_TYPES, type OutwardMessage, type OutwardType } from './outward-message.ts';

export interface OutboxPublisherOptions {
  /** With sessions that do not wait for ever (`WRITING_SESSION`). */
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Units at which a level counts as low; 0 = none does. */
  readonly lowUnits: number;
  /**
   * Publishes a message; resolves once the broker has it for good, rejects when that cannot be known. Messages reach the broker in
   * the order of the calls, also of calls that are not resolved yet.
   */
  readonly publish: Broker['publish'];
}

/** What a publisher does now: see `OutboxPublisher`. */
export const PUBLISHER_MODES = [
  'STARTING',
  'STANDBY',
  'WAITING',
  'PUBLISHING',
  'BACKING_OFF',
  'STOPPED',
] as const;

export type PublisherMode = (typeof PUBLISHER_MODES)[number];

export interface PublisherStatus {
  readonly mode: PublisherMode;
  readonly hasLease: boolean;
  /** Messages that the broker has confirmed since the start. */
  readonly told: ReadonlyMap<OutwardType, number>;
  /** Attempts that failed since the start. */
  readonly retries: number;
  /** Why the last attempt failed; null once one did not. */
  readonly lastError: string | null;
}

/** Confirms are waited for together: one by one they would be the limit. */
const MESSAGES_IN_FLIGHT = 256;
const LOOK_FOR_ENTRIES_MS = 250;
const LOOK_FOR_LEASE_MS = 1_000;
const RENEW_EVERY_MS = 1_000;
/** What is in the broker's hands when the process stops is waited for that long. */
const STOP_WITHIN_MS = 3_000;
const DELAYS = new ExponentialBackoff({ initialDelay: 50, maxDelay: 5_000 });

/**
 * Tells the world what stands in the outbox, in order, each message at least once. Modes, and what leaves each:
 *
 * - STARTING: asks for the lease: another publisher has it -> STANDBY, else -> WAITING.
 * - STANDBY: another one works. Looks once a second -> WAITING.
 * - WAITING: nothing is in the outbox; looks four times a second -> PUBLISHING.
 * - PUBLISHING: page by page: publishes the messages in order, waits until all of them are confirmed, and deletes the rows, that only
 *   while it has the lease. The outbox is at its end -> WAITING; the broker does not take them -> BACKING_OFF; the lease is lost ->
 *   STARTING.
 * - BACKING_OFF: keeps the lease and the page, and tries again from the first message that was not confirmed, for ever. Where
 *   anything else failed -> STARTING.
 * - STOPPED: final. The lease is given back.
 *
 * Whoever dies between a confirm and the deletion leaves rows that the next one tells again, under the same ids. Any number of
 * publishers may run: one that sleeps past its lease sends at most what was in its hands, which the next one sends as well and
 * from its beginning: the first of each id come in order whatever happens.
 */
export class OutboxPublisher {
  readonly #options: OutboxPublisherOptions;
  readonly #lease: Lease;
  readonly #stopping = new AbortController();
  /** When it aborts, nothing more is waited for. */
  readonly #leaving = new AbortController();
  readonly #told = new Map<OutwardType, number>(OUTWARD_TYPES.map((type) => [type, 0]));
  #running: Promise<void> | null = null;
  #mode: PublisherMode = 'STARTING';
  /** Rows up to this id are told and gone. */
  #done = 0;
  #retries = 0;
  #lastError: string | null = null;
  #delay: IBackoff<unknown> | null = null;

  constructor(options: OutboxPublisherOptions) {
    this.#options = options;
    this.#lease = new Lease({ name: 'outbox-publisher', ...options });
  }

  get status(): PublisherStatus {
    return {
      mode: this.#mode,
      hasLease: this.#lease.isCurrent,
      told: this.#told,
      retries: this.#retries,
      lastError: this.#lastError,
    };
  }

  /** Begins, in the background. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Finishes the page in hand if the broker takes it within a few seconds, and gives the lease back. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await within(STOP_WITHIN_MS, this.#running ?? Promise.resolve()).catch(() => undefined);
    this.#leaving.abort();
    await this.#running;
    await this.#lease.release();
    this.#mode = 'STOPPED';
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await this.#work().catch((error: unknown) => this.#recover(error));
    }
  }

  /** From STARTING on, until something goes wrong or it is stopped. Rejects then. */
  async #work(): Promise<void> {
    await this.#takeLease();
    for (;;) {
      const run = await this.#nextRun();
      let isFirst = true;
      for await (const page of run.pages()) {
        // Other pages than the first were read after the run's beginning: whoever has the lease may have deleted some of it since.
        if (!isFirst) await this.#assertLease();
        isFirst = false;
        await this.#tell(page);
        this.#stopping.signal.throwIfAborted();
      }
    }
  }

  async #takeLease(): Promise<void> {
    this.#mode = 'STARTING';
    this.#done = 0;
    if (await this.#lease.take()) return;
    this.#options.logger.info('another process publishes: standing by');
    this.#mode = 'STANDBY';
    this.#succeeded();
    do await pause(LOOK_FOR_LEASE_MS, undefined, this.#stopping);
    while (!(await this.#lease.take()));
    this.#options.logger.info('nobody publishes: taking over');
  }

  async #nextRun(): Promise<OutboxRun> {
    const { database, lowUnits } = this.#options;
    for (;;) {
      this.#stopping.signal.throwIfAborted();
      await this.#lease.renewIfDue();
      const isThere = await hasOutboxRows(database.query, this.#done);
      const run = isThere && (await OutboxRun.open(database, this.#done, lowUnits));
      if (run) return run;
      this.#mode = 'WAITING';
      this.#succeeded();
      await pause(LOOK_FOR_ENTRIES_MS, undefined, this.#stopping);
    }
  }

  async #tell({ first, last, messages }: OutboxPage): Promise<void> {
    this.#mode = 'PUBLISHING';
    for (let at = 0; at < messages.length; at += MESSAGES_IN_FLIGHT)
      await this.#publish(messages.slice(at, at + MESSAGES_IN_FLIGHT));
    await this.#options.database.transaction(async (transaction) => {
      await this.#lease.renewIn(transaction);
      await deleteOutboxRows(transaction, { first, last });
    });
    this.#done = last;
    this.#succeeded();
  }

  async #assertLease(): Promise<void> {
    await this.#options.database.transaction((transaction) => this.#lease.renewIn(transaction));
  }

  /** Resolves when all are confirmed. Of those that are not, the first and all after it are sent again: order counts. */
  async #publish(messages: readonly OutwardMessage[]): Promise<void> {
    for (let rest = messages; rest.length > 0; ) {
      await this.#lease.renewIfDue();
      this.#leaving.signal.throwIfAborted();
      const sending = rest.map(async (message) => await this.#options.publish(outgoingOf(message)));
      const sent = await this.#whileRenewing(Promise.allSettled(sending));
      const failed = sent.findIndex(({ status }) => status === 'rejected');
      const confirmed = failed === -1 ? rest : rest.slice(0, failed);
      for (const { type } of confirmed) this.#told.set(type, this.#told.get(type)! + 1);
      if (failed === -1) return;
      if (failed > 0) this.#delay = null;
      rest = rest.slice(failed);
      await this.#backOff((sent[failed] as PromiseRejectedResult).reason);
      this.#mode = 'PUBLISHING';
    }
  }

  /** The lease must outlast a broker that takes its time. Rejects when it is lost, or nothing is to be waited for any more. */
  async #whileRenewing<T>(work: Promise<T>): Promise<T> {
    const over = new AbortController();
    const signal = AbortSignal.any([this.#leaving.signal, over.signal]);
    const renewing = async (): Promise<never> => {
      for (;;) {
        await pause(RENEW_EVERY_MS, undefined, { signal });
        await this.#lease.renewIfDue();
      }
    };
    return await Promise.race([work, renewing()]).finally(() => over.abort());
  }

  async #recover(error: unknown): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    if (error instanceof LeaseLost) {
      this.#options.logger.info({ reason: error.message }, 'another process publishes');
      return;
    }
    await this.#backOff(error).catch(() => undefined);
  }

  /** Rejects when it is stopped meanwhile. */
  async #backOff(error: unknown): Promise<void> {
    this.#mode = 'BACKING_OFF';
    this.#retries += 1;
    const reason = describeError(error);
    if (reason !== this.#lastError)
      this.#options.logger.error({ error: reason }, 'nothing is published; trying again, for ever');
    this.#lastError = reason;
    this.#delay = this.#delay ? this.#delay.next(undefined) : DELAYS.next();
    await pause(this.#delay.duration, undefined, this.#stopping);
  }

  /** Something was told, or there is nothing to tell. */
  #succeeded(): void {
    if (this.#lastError !== null) this.#options.logger.info('publishing again');
    this.#lastError = null;
    this.#delay = null;
  }
}
