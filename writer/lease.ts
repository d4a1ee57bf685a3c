import { randomUUID } from 'node:crypto';
import type { Database, Transaction } from '../engine/database/database.ts';
import { releaseLease } from '../engine/database/statements/release-lease.ts';
import { renewLease } from '../engine/database/statements/renew-lease.ts';
import { takeLease } from '../engine/database/statements/take-lease.ts';
import type { Clock } from '../engine/runtime/clock.ts';

const NAME = 'writer';
const SECONDS = 10;
/** Early enough that two renewals may fail before the lease lapses. */
const RENEW_AFTER_MS = 3_000;

/** Another writer has taken over: this one waits again. Nothing was changed. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/**
 * Of many writers the one that works. The lease saves work: without it writers would apply the same entries and all but one
 * roll back. It is not what keeps entries from being applied twice: that is the checkpoint, which holds however long a writer
 * sleeps with a lease that it takes for its own.
 */
export class Lease {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #request = { name: NAME, holder: randomUUID(), seconds: SECONDS };
  #renewedAt = 0;
  #isHeld = false;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Resolves to whether this writer is the one that works now. */
  async take(): Promise<boolean> {
    this.#note(await takeLease(this.#database, this.#request));
    return this.#isHeld;
  }

  /** In the transaction that moves the checkpoint. Throws `LeaseLost`. */
  async renewIn(transaction: Transaction): Promise<void> {
    this.#note(await renewLease(transaction, this.#request));
    if (!this.#isHeld) throw new LeaseLost('another writer has the lease');
  }

  /** While there is nothing to apply. Throws `LeaseLost`. */
  async renewIfDue(): Promise<void> {
    if (this.#clock.monotonicMs() - this.#renewedAt < RENEW_AFTER_MS) return;
    this.#note(await renewLease(this.#database.pool, this.#request));
    if (!this.#isHeld) throw new LeaseLost('another writer has the lease');
  }

  /** Another need not wait until it lapses; where that cannot be said, it lapses. */
  async release(): Promise<void> {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    await releaseLease(this.#database, NAME, this.#request.holder).catch(() => undefined);
  }

  #note(isHeld: boolean): void {
    this.#isHeld = isHeld;
    this.#renewedAt = this.#clock.monotonicMs();
  }
}
