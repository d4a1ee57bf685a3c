import type { FaultKind } from './fault.ts';

const HOUR_S = 3_600;
const FOR_MS = [2_000, 5_000] as const;

/** The wall clock of one process jumps by an hour, and back. */
export const CLOCKS: readonly FaultKind[] = [
  jumping('clock-ahead', HOUR_S),
  jumping('clock-behind', -HOUR_S),
];

function jumping(name: string, seconds: number): FaultKind {
  return {
    name,
    disturbs: 'clock',
    lacks: (rig) =>
      rig.clocks.size > 0 ? null : 'libfaketime is not installed (Debian: apt-get install faketime)',
    draw(rig, random) {
      const [process, clock] = random.pick([...rig.clocks]);
      return {
        what: `${name} ${process}`,
        victims: [process],
        forMs: random.between(...FOR_MS),
        inject: () => clock.set(seconds),
        heal: () => clock.set(0),
      };
    },
  };
}
