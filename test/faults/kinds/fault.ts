import type { Entry } from '../../../engine/journal/entry.ts';
import type { SeededRandom } from '../../simulation/seeded-random.ts';
import type { Rig, Victim } from '../rig/rig.ts';

/** What a fault that loses entries tells the ledger of the sale. */
export interface Books {
  /** They are gone from Redis and are not in MariaDB: whoever was told of them can be told otherwise from now on. */
  lose(entries: readonly Entry[]): void;
  /** The engine has gone on without these and has asked nobody: nobody may have been told of them. */
  lostUnnamed(entries: readonly Entry[]): void;
}

/** One thing that goes wrong once, all that is random in it decided. */
export interface Fault {
  /** For people: `cut api-1 - redis`. */
  readonly what: string;
  /** Whom it happens to: nothing else happens to them meanwhile. */
  readonly victims: readonly Victim[];
  /** How long it lasts. */
  readonly forMs: number;
  inject(books: Books): Promise<void> | void;
  /** Whatever is left of it goes; called once, after `inject`, whether that came to its end or not. */
  heal(books: Books): Promise<void> | void;
}

/** A kind of fault. */
export interface FaultKind {
  readonly name: string;
  /**
   * `clock`: afterwards nobody can say by a true clock when a sale event was on, or a hold over. Rounds with it sell no sale
   * events, and holds are not judged by time. `history`: what was told may be undone. Rounds with it sell no sale events.
   */
  readonly disturbs?: 'clock' | 'history';
  /** Why it cannot be done on this machine; null = it can. */
  readonly lacks?: (rig: Rig) => string | null;
  draw(rig: Rig, random: SeededRandom): Fault;
}
