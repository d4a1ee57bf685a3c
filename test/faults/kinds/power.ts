import { setTimeout as pause } from 'node:timers/promises';
import { readCheckpoint } from '../../../engine/database/statements/read-checkpoint.ts';
import { comparePositions } from '../../../engine/domain/position.ts';
import { decodeEntry } from '../../../engine/redis/journal-stream.ts';
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
const MAX_TRIES = 10;
/** How the gate says that nobody but an operator can decide. */
const LOST = /acknowledged orders are lost|the journal has a gap/;
const WRITERS = PROCESS_NAMES.filter((name) => name.startsWith('writer'));

/**
 * The power goes, and the disk has not what it said it had: Redis's append-only file ends earlier, at any byte. The
 * writer has been ahead of what is left (MariaDB knows more than Redis), or behind what was acknowledged.
 */
export const POWER: readonly FaultKind[] = [
  cutting('power-cut', { behind: false, empties: false }),
  cutting('power-cut-behind', { behind: true, empties: false }),
  cutting('redis-emptied', { behind: false, empties: true }),
];

interface Cut {
  /** The writers are stopped before it, so that MariaDB lacks what is cut. */
  readonly behind: boolean;
  /** All of Redis's data is gone. */
  readonly empties: boolean;
}

function cutting(name: string, cut: Cut): FaultKind {
  return {
    name,
    disturbs: 'history',
    draw: (rig, random) => new PowerCut(name, rig, drawCut(cut, random)),
  };
}

interface DrawnCut {
  readonly behindMs: number;
  /** 0: everything. */
  readonly entries: number;
  /** Where among the bytes of those entries the file ends, in thousandths. */
  readonly place: number;
}

function drawCut({ behind, empties }: Cut, random: SeededRandom): DrawnCut {
  return {
    behindMs: behind ? random.between(...BEHIND_MS) : 0,
    entries: empties ? 0 : random.between(...ENTRIES_CUT),
    place: random.below(1_000),
  };
}

class PowerCut implements Fault {
  readonly what: string;
  /** MariaDB must be there for the recovery, and the writers are held back. */
  readonly victims = ['redis', 'mariadb', ...WRITERS] as const;
  readonly forMs = 0;
  readonly #rig: Rig;
  readonly #drawn: DrawnCut;
  #lost: readonly WrittenEntry[] = [];

  constructor(name: string, rig: Rig, drawn: DrawnCut) {
    this.#rig = rig;
    this.#drawn = drawn;
    const behind = drawn.behindMs > 0 ? `, MariaDB ${drawn.behindMs} ms behind` : '';
    this.what = drawn.entries > 0 ? `${name} of ${drawn.entries} entries${behind}` : name;
  }

  async inject(books: Books): Promise<void> {
    const { servers, database } = this.#rig;
    for (const name of WRITERS) if (this.#drawn.behindMs > 0) this.#rig.process(name).pause();
    await pause(this.#drawn.behindMs);
    await servers.redis.kill();
    await pause(SETTLED_MS);
    const gone = this.#cut(new AppendOnlyFile(servers.redis.directory));
    const checkpoint = await readCheckpoint(database);
    this.#lost = gone.filter(({ position }) => comparePositions(position, checkpoint) > 0);
    books.lose(this.#lost.map(decodeEntry));
  }

  async heal(books: Books): Promise<void> {
    await this.#rig.servers.redis.start();
    for (const name of WRITERS) this.#rig.process(name).resume();
    const isAlone = await this.#recover();
    if (isAlone) books.lostUnnamed(this.#lost.map(decodeEntry));
  }

  #cut(file: AppendOnlyFile): readonly WrittenEntry[] {
    if (this.#drawn.entries === 0) return file.remove();
    const first = file.entries.at(-this.#drawn.entries) ?? file.entries[0];
    if (!first) return [];
    return file.cut(first.from + Math.floor(((file.size - first.from) * this.#drawn.place) / 1_000));
  }

  /** True when the engine came back by itself. */
  async #recover(): Promise<boolean> {
    for (const endMs = performance.now() + ALONE_MS; performance.now() < endMs; ) {
      const reasons = await this.#rig.reasons();
      if (reasons === null) return true;
      if (LOST.test(reasons)) break;
      await pause(LOOK_EVERY_MS);
    }
    await this.#recoverAsOperator();
    return false;
  }

  /** As the runbook says: without giving anything up, and with it where the command asks for that. */
  async #recoverAsOperator(): Promise<void> {
    let said = '';
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const accept = said.includes('--accept-loss') ? ['--accept-loss'] : [];
      const { code, stdout, stderr } = await runCommand(['recover', ...accept], this.#rig.environment);
      if (code === 0) return;
      said = stdout + stderr;
      await pause(LOOK_EVERY_MS);
      if ((await this.#rig.reasons()) === null) return;
    }
    throw new Error(`bootakhae recover failed ${MAX_TRIES} times: ${said}`);
  }
}
