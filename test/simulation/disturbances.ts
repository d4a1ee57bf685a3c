import { SeededRandom } from './seeded-random.ts';

/** Whom a disturbance kills (SIGKILL) and starts again. */
export const VICTIMS = ['writer', 'api', 'redis'] as const;
export type Victim = (typeof VICTIMS)[number];

/** Kills it and starts it again; resolves when it serves. */
export type Kill = (victim: Victim) => Promise<void>;

export interface Disturbance {
  /** When so many orders have been asked for. */
  readonly at: number;
  readonly victim: Victim;
}

const ORDERS_OF_A_ROUND = 60_000;
const MAX_ROUNDS = 16;

/** Every victim once a round, at moments drawn from the seed; a short run is one round. */
export function drawDisturbances(seed: number, orders: number): Disturbance[] {
  const random = new SeededRandom(seed ^ 0x5eed);
  const rounds = Math.min(MAX_ROUNDS, Math.ceil(orders / ORDERS_OF_A_ROUND));
  const share = orders / (rounds * VICTIMS.length);
  return Array.from({ length: rounds * VICTIMS.length }, (_, turn) => ({
    at: Math.floor(share * (turn + 0.2 + random.below(60) / 100)),
    victim: VICTIMS[turn % VICTIMS.length]!,
  }));
}

/** What users wait for when they were refused: that whoever is disturbed serves again. */
export interface Calm {
  whenCalm(): Promise<void>;
}

/** Makes the disturbances happen when their time comes, one at a time. */
export class Disturbances implements Calm {
  readonly #plan: Disturbance[];
  readonly #kill: Kill;
  readonly #onDone: (victim: Victim, seconds: number) => void;
  #running: Promise<void> = Promise.resolve();
  readonly done: Record<Victim, number> = { writer: 0, api: 0, redis: 0 };

  /** `onDone` hears how long it took until the victim served again. */
  constructor(
    plan: readonly Disturbance[],
    kill: Kill,
    onDone: (victim: Victim, seconds: number) => void = () => undefined,
  ) {
    this.#plan = [...plan];
    this.#kill = kill;
    this.#onDone = onDone;
  }

  /** Begins what is due when `asked` orders have been asked for. */
  tick(asked: number): void {
    while (this.#plan.length > 0 && this.#plan[0]!.at <= asked) {
      const { victim } = this.#plan.shift()!;
      this.#running = this.#running.then(async () => {
        const startMs = performance.now();
        await this.#kill(victim);
        this.done[victim] += 1;
        this.#onDone(victim, (performance.now() - startMs) / 1_000);
      });
      this.#running.catch(() => undefined); // it is heard of when somebody waits for it
    }
  }

  /** Resolves when whoever was killed serves again. Rejects when it does not come up. */
  whenCalm(): Promise<void> {
    return this.#running;
  }
}
