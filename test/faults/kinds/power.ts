import { setTimeout as pause } from 'node:timers/promises';
import { readCheckpoint } from '../../../engine/database/statements/read-checkpoint.ts';
import { comparePositions } from '../../../engine/domain/position.ts';
import { decodeEntry } from '../../../engine/redis/journal-stream.ts';
import { KEYS } from '../../../engine/redis/keys.ts';
import { runCommand } from '../../fixtures/processes.ts';
import type { SeededRandom } from '../../simulation/seeded-random.ts';
import { AppendOnlyFile, type WrittenEntry } from '../rig/append-only-file.ts';
import { PROCESS_NAMES, type Rig } from '../rig/rig.ts';
import type { Books, Fault, FaultKind } from './fault.ts';

/** Of the end of the journal so much is gone. */
const ENTRIES_CUT = [1, 60] as const;
/** How long MariaDB hears of nothing before the cut. */
const BEHIND_MS = [200, 1_500] as const;
/** A transaction that was under way when Redis went is over by then. */
const SETTLED_MS = 500;
/** For so long the engine may try to recover by itself before an operator does it. */
const ALONE_MS = 20_000;
const LOOK_EVERY_MS = 250;
const DRAINED_WITHIN_MS = 15_000;
const LOOKS_AT_NOTHING = 3;
const MAX_TRIES = 10;
/** How the gate says that nobody but an operator can decide. */
const LOST = /acknowledged orders are lost|the journal has a gap/;
const APIS = PROCESS_NAMES.filter((name) => name.startsWith('api'));
const WRITERS = PROCESS_NAMES.filter((name) => name.startsWith('writer'));

/**
 * The power goes, and the disk has not what it said it had: Redis's append-only file ends earlier, at any byte, or all
 * of Redis's data is gone.
 *
 * - `ahead`: under full sale; the writer has been ahead of what is left, so MariaDB knows more than Redis
 * - `behind`: the writers are held back before it, so that MariaDB lacks what was acknowledged
 * - `drained`: the apis are held back before it until MariaDB has everything: nothing may be lost
 */
export const POWER: readonly FaultKind[] = [
  cutting('power-cut', 'ahead'),
  cutting('power-cut-behind', 'behind'),
  cutting('power-cut-drained', 'drained'),
  cutting('redis-emptied', 'ahead'),
  cutting('redis-emptied-drained', 'drained'),
];

type MariaDBIs = 'ahead' | 'behind' | 'drained';

function cutting(name: string, mariadbIs: MariaDBIs): FaultKind {
  return {
    name,
    disturbs: 'history',
    draw: (rig, random) => new PowerCut(name, rig, drawCut(name, mariadbIs, random)),
  };
}

interface DrawnCut {
  readonly mariadbIs: MariaDBIs;
  readonly behindMs: number;
  /** 0: everything. */
  readonly entries: number;
  /** Where among the bytes of those entries the file ends, in thousandths. */
  readonly place: number;
}

function drawCut(name: string, mariadbIs: MariaDBIs, random: SeededRandom): DrawnCut {
  return {
    mariadbIs,
    behindMs: random.between(...BEHIND_MS),
    entries: name.startsWith('redis-emptied') ? 0 : random.between(...ENTRIES_CUT),
    place: random.below(1_000),
  };
}

class PowerCut implements Fault {
  readonly what: string;
  /** MariaDB must be there for the recovery, and the writers are held back. */
  readonly victims = ['redis', 'mariadb', ...PROCESS_NAMES] as const;
  readonly forMs = 0;
  readonly #rig: Rig;
  readonly #drawn: DrawnCut;
  #lost: readonly WrittenEntry[] = [];

  constructor(name: string, rig: Rig, drawn: DrawnCut) {
    this.#rig = rig;
    this.#drawn = drawn;
    const behind = drawn.mariadbIs === 'behind' ? `, MariaDB ${drawn.behindMs} ms behind` : '';
    this.what = drawn.entries > 0 ? `${name} of ${drawn.entries} entries${behind}` : name;
  }

  async inject(books: Books): Promise<void> {
    const { servers, database } = this.#rig;
    await this.#holdBack();
    await servers.redis.kill();
    await pause(SETTLED_MS);
    const gone = this.#cut(new AppendOnlyFile(servers.redis.directory));
    const checkpoint = await readCheckpoint(database);
    this.#lost = gone.filter(({ position }) => comparePositions(position, checkpoint) > 0);
    books.lose(this.#lost.map(decodeEntry));
  }

  async heal(books: Books): Promise<void> {
    await this.#rig.servers.redis.start();
    for (const name of PROCESS_NAMES) this.#rig.process(name).resume();
    const came = await this.#recover();
    if (came === 'with a loss' && this.#drawn.mariadbIs === 'drained')
      throw new Error(`${this.what}: a loss had to be accepted, though MariaDB had everything`);
    if (came !== 'with a loss') books.lostUnnamed(this.#lost.map(decodeEntry));
  }

  async #holdBack(): Promise<void> {
    const { mariadbIs, behindMs } = this.#drawn;
    if (mariadbIs === 'ahead') return;
    for (const name of mariadbIs === 'behind' ? WRITERS : APIS) this.#rig.process(name).pause();
    if (mariadbIs === 'behind') return await pause(behindMs);
    const { redis } = this.#rig;
    const endMs = performance.now() + DRAINED_WITHIN_MS;
    // Twice in a row: a call that was on its way when its api was held back may still arrive.
    for (let empty = 0; empty < LOOKS_AT_NOTHING; await pause(LOOK_EVERY_MS)) {
      if (performance.now() > endMs) throw new Error(`${this.what}: the journal was not drained`);
      empty = (await redis.xlen(KEYS.journal)) === 0 ? empty + 1 : 0;
    }
  }

  #cut(file: AppendOnlyFile): readonly WrittenEntry[] {
    if (this.#drawn.entries === 0) return file.remove();
    const first = file.entries.at(-this.#drawn.entries) ?? file.entries[0];
    if (!first) return [];
    return file.cut(first.from + Math.floor(((file.size - first.from) * this.#drawn.place) / 1_000));
  }

  /**
   * How the engine came back. An operator who is asked need not have lost anything: an api that was killed just before says no more
   * what it had acknowledged.
   */
  async #recover(): Promise<'alone' | 'when asked' | 'with a loss'> {
    for (const endMs = performance.now() + ALONE_MS; performance.now() < endMs; ) {
      const reasons = await this.#rig.reasons();
      if (reasons === null) return 'alone';
      if (LOST.test(reasons)) break;
      await pause(LOOK_EVERY_MS);
    }
    return (await this.#recoverAsOperator()) ? 'with a loss' : 'when asked';
  }

  /** As the runbook says: without giving anything up, and with it where the command asks for that. */
  async #recoverAsOperator(): Promise<boolean> {
    let said = '';
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const accept = said.includes('--accept-loss') ? ['--accept-loss'] : [];
      const { code, stdout, stderr } = await runCommand(['recover', ...accept], this.#rig.environment);
      if (code === 0) return accept.length > 0;
      said = stdout + stderr;
      await pause(LOOK_EVERY_MS);
      if ((await this.#rig.reasons()) === null) return false;
    }
    throw new Error(`bootakhae recover failed ${MAX_TRIES} times: ${said}`);
  }
}
