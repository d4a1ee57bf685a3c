import { readWaitingDeadLetters } from '../../engine/database/statements/read-waiting-dead-letters.ts';
import { vouchForProcesses } from '../../engine/database/statements/vouch-for-processes.ts';
import { comparePositions, formatPosition } from '../../engine/domain/position.ts';
import { findFaults, readStanding, type Standing, silentSince } from '../../engine/journal/standing.ts';
import { findServerFaults } from '../../engine/redis/server-check.ts';
import { within } from '../../engine/runtime/deadline.ts';
import type { Logger } from '../../engine/runtime/logger.ts';
import { runPeriodically } from '../../engine/runtime/periodic.ts';
import { foldReadable } from './dead-letters-fold.ts';
import { AnotherRecovery, type RecoverOptions, RecoveryRefused, recover } from './recover.ts';

export interface RecoveryWatchOptions extends Omit<RecoverOptions, 'acceptLoss' | 'onProgress'> {
  readonly logger: Logger;
}

/** Where a watch is: nothing to do, an operator must decide (why), or a recovery is under way. */
export type RecoveryState =
  | { readonly kind: 'sound' }
  | { readonly kind: 'undecided'; readonly reasons: readonly string[] }
  | { readonly kind: 'recovering' };

const LOOK_EVERY_MS = 500;
const AGAIN_AFTER_MS = 5_000;
const LOOK_WITHIN_MS = 10_000;
/** A process that was not heard of for so long, while all went well, has ended. */
const DEAD_SECONDS = 10;
/** Entries of these kinds only add and take away: what they did to Redis can be done again in any order. */
const ADDITIVE_KINDS: readonly string[] = ['orders', 'settlements', 'adjustments'];

/**
 * Looks for a Redis that has lost data, and rebuilds it by itself where that is sure to lose nothing: whoever acknowledges
 * orders has said, after the loss, up to where, and all of that is in MariaDB or still in the journal. Otherwise it says
 * what an operator must decide, and gates stay closed.
 *
 * While all is well it counts processes that fell silent as ended, once MariaDB has all that they can have acknowledged.
 */
export class RecoveryWatch {
  readonly #options: RecoveryWatchOptions;
  /** MariaDB's clock when the fault was first seen. */
  #since: number | null = null;
  #state: RecoveryState = { kind: 'sound' };
  #notBeforeMs = 0;
  #stop: () => Promise<void> = async () => undefined;

  constructor(options: RecoveryWatchOptions) {
    this.#options = options;
  }

  get state(): RecoveryState {
    return this.#state;
  }

  start(): void {
    const { logger } = this.#options;
    const run = () => this.look();
    this.#stop = runPeriodically({ name: 'watch for lost data', everyMs: LOOK_EVERY_MS, logger, run });
  }

  /** Resolves when a recovery in hand is over. */
  async stop(): Promise<void> {
    await this.#stop();
  }

  /** One look, and a recovery where one is due and sure to be complete. */
  async look(): Promise<void> {
    const { redis, database, clock } = this.#options;
    if (redis.status !== 'ready' || clock.monotonicMs() < this.#notBeforeMs) return;
    const standing = await within(LOOK_WITHIN_MS, readStanding(redis, database));
    if (findFaults(standing).length === 0) return await this.#allIsWell(standing);
    this.#since ??= standing.testimony.now;
    const reasons = await this.#obstacles(standing, this.#since);
    if (reasons.length > 0) return this.#wait(reasons);
    await this.#recover();
  }

  async #allIsWell(standing: Standing): Promise<void> {
    this.#since = null;
    this.#state = { kind: 'sound' };
    const { journal, checkpointAfter } = standing;
    const isDrained = comparePositions(journal.last, checkpointAfter) <= 0;
    if (isDrained && journal.vetted === journal.run)
      await vouchForProcesses(this.#options.database, DEAD_SECONDS);
  }

  #wait(reasons: readonly string[]): void {
    const said = this.#state.kind === 'undecided' ? this.#state.reasons.join() : '';
    this.#state = { kind: 'undecided', reasons };
    if (said !== reasons.join())
      this.#options.logger.error({ reasons }, 'Redis must be rebuilt, and that is not sure to lose nothing');
  }

  async #recover(): Promise<void> {
    const { logger } = this.#options;
    this.#state = { kind: 'recovering' };
    try {
      const onProgress = (line: string) => logger.info(line);
      const recovery = await recover({ ...this.#options, acceptLoss: false, onProgress });
      logger.warn(recovery, 'Redis was rebuilt from MariaDB');
    } catch (error) {
      if (error instanceof AnotherRecovery) return;
      // Each attempt begins an epoch: one that fails is not made again at once.
      this.#notBeforeMs = this.#options.clock.monotonicMs() + AGAIN_AFTER_MS;
      if (!(error instanceof RecoveryRefused)) throw error;
      this.#wait([error.message]);
    }
  }

  /** What stands against rebuilding without being asked, a sentence each. */
  async #obstacles(standing: Standing, since: number): Promise<string[]> {
    const { redis, database, needs } = this.#options;
    const losses = findFaults(standing).filter(({ kind }) => kind === 'forgotten' || kind === 'gap');
    const silent = silentSince(standing.testimony, since);
    return [
      ...(await findServerFaults(redis, needs)),
      ...losses.map(({ reason }) => `${reason}: ${DECIDE}`),
      ...silent.map(
        ({ kind, host, pid, acknowledged }) =>
          `${kind} ${pid} on ${host} does not say what it has acknowledged (at least ${formatPosition(acknowledged)}): ` +
          (standing.testimony.now - since < HEARING_MS
            ? 'waiting to hear it'
            : `bring it back, or if it is gone for good: ${DECIDE}`),
      ),
      ...findAmbiguous(foldReadable(await readWaitingDeadLetters(database.query))),
    ];
  }
}

/** Whoever is alive says it within seconds, and no operator has anything to decide until then. */
const HEARING_MS = 5_000;

const DECIDE =
  'bring back a Redis that has all, or rebuild what there is with bootakhae recover (docs/RUNBOOK.md)';

function findAmbiguous({ entries, unreadable }: ReturnType<typeof foldReadable>): string[] {
  const kept = entries.filter(({ kind }) => !ADDITIVE_KINDS.includes(kind));
  const ids = [...kept.map(({ position }) => formatPosition(position)), ...unreadable];
  return ids.map(
    (id) => `dead letter ${id} may be newer or older than what MariaDB has: replay or drop it first`,
  );
}
