import { CLOCKS } from './clocks.ts';
import { DATABASE } from './database.ts';
import { DISKS } from './disks.ts';
import type { FaultKind } from './fault.ts';
import { INTERRUPTIONS } from './interruptions.ts';
import { NETWORK } from './network.ts';
import { POWER } from './power.ts';
import { KILLS, PAUSES } from './processes.ts';

/** Every kind of fault that can be produced on one machine (docs/RELIABILITY.md, "The torture"). */
export const CATALOGUE: readonly FaultKind[] = [
  ...KILLS,
  ...PAUSES,
  ...NETWORK,
  ...DATABASE,
  ...INTERRUPTIONS,
  ...DISKS,
  ...CLOCKS,
  ...POWER,
];

/** The kinds of these names. Throws for a name that there is none of. */
export function kindsOf(names: readonly string[]): FaultKind[] {
  return names.map((name) => {
    const kind = CATALOGUE.find((one) => one.name === name);
    if (kind) return kind;
    throw new Error(`no fault is called "${name}"; there are ${CATALOGUE.map((one) => one.name).join(', ')}`);
  });
}
