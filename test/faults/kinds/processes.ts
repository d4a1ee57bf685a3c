import { PROCESS_NAMES, type Victim } from '../rig/rig.ts';
import type { FaultKind } from './fault.ts';

const APIS = PROCESS_NAMES.filter((name) => name.startsWith('api'));
const WRITERS = PROCESS_NAMES.filter((name) => name.startsWith('writer'));
/** A writer's lease is 10 s: longer than that, another has taken over when it wakes up. */
const PAST_LEASE_MS = [11_000, 13_000] as const;

type Span = readonly [lowestMs: number, highestMs: number];

/** SIGKILL at a random moment, and started again: P3, P4, whoever it was. */
export const KILLS: readonly FaultKind[] = [
  killing('kill-api', APIS, [0, 3_000]),
  killing('kill-writer', WRITERS, [0, 3_000]),
  killing('kill-redis', ['redis'], [0, 2_000]),
  killing('kill-mariadb', ['mariadb'], [0, 3_000]),
];

/** SIGSTOP, and SIGCONT: it wakes up in the middle of what it did, and the world has gone on. */
export const PAUSES: readonly FaultKind[] = [
  pausing('pause-api', APIS, [200, 4_000]),
  pausing('pause-writer', WRITERS, PAST_LEASE_MS),
  pausing('pause-redis', ['redis'], [100, 4_000]),
  pausing('pause-mariadb', ['mariadb'], [500, 6_000]),
];

function killing(name: string, victims: readonly Victim[], span: Span): FaultKind {
  return {
    name,
    draw(rig, random) {
      const victim = random.pick(victims);
      return {
        what: `kill ${victim}`,
        victims: [victim],
        forMs: random.between(...span),
        inject: () => rig.part(victim).kill(),
        heal: () => rig.part(victim).start(),
      };
    },
  };
}

function pausing(name: string, victims: readonly Victim[], span: Span): FaultKind {
  return {
    name,
    draw(rig, random) {
      const victim = random.pick(victims);
      return {
        what: `pause ${victim}`,
        victims: [victim],
        forMs: random.between(...span),
        inject: () => rig.part(victim).pause(),
        heal: () => rig.part(victim).resume(),
      };
    },
  };
}
