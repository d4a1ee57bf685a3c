import type { SeededRandom } from '../../simulation/seeded-random.ts';
import type { Rig, Victim } from '../rig/rig.ts';

/** One thing that goes wrong once, all that is random in it decided. */
export interface Fault {
  /** For people: `cut api-1 - redis`. */
  readonly what: string;
  /** Whom it happens to: nothing else happens to them meanwhile. */
  readonly victims: readonly Victim[];
  /** How long it lasts. */
  readonly forMs: number;
  inject(): Promise<void> | void;
  /** Whatever is left of it goes; called once, after `inject`, whether that came to its end or not. */
  heal(): Promise<void> | void;
}

/** A kind of fault. */
export interface FaultKind {
  readonly name: string;
  /**
   * `clock`: afterwards nobody can say by a true clock when a sale event was on, or a hold over. Rounds with it sell no sale
   * events, and holds are not judged by time.
   */
  readonly disturbs?: 'clock';
  /** Why it cannot be done on this machine; null = it can. */
  readonly lacks?: (rig: Rig) => string | null;
  draw(rig: Rig, random: SeededRandom): Fault;
}
