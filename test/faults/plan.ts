import { setTimeout as pause } from 'node:timers/promises';
import type { SeededRandom } from '../simulation/seeded-random.ts';
import type { Books, Fault, FaultKind } from './kinds/fault.ts';
import type { Rig } from './rig/rig.ts';

/** A fault and when it comes. */
export interface PlannedFault {
  readonly kind: FaultKind;
  readonly fault: Fault;
  /** After the load has begun. */
  readonly atMs: number;
}

const FIRST_MS = 300;
/** Enough that some come one upon the other, and that there is sale in between. */
const SPREAD_MS = 5_000;
/** The sale goes on for so long after the last one. */
const AFTERMATH_MS = 500;

/** One of each of `kinds`, at moments drawn from `random`; those with a common victim follow each other. */
export function drawPlan(rig: Rig, random: SeededRandom, kinds: readonly FaultKind[]): PlannedFault[] {
  const drawn = kinds.map((kind) => ({
    ...{ kind, fault: kind.draw(rig, random) },
    atMs: FIRST_MS + random.below(SPREAD_MS),
  }));
  return drawn.sort((a, b) => a.atMs - b.atMs);
}

/** Lets it all happen; resolves when everything is healed and the sale has gone on for a while. */
export async function carryOut(plan: readonly PlannedFault[], books: Books): Promise<void> {
  const done: { readonly planned: PlannedFault; readonly end: Promise<void> }[] = [];
  for (const planned of plan) {
    const before = done.filter((other) => haveCommonVictim(other.planned.fault, planned.fault));
    const turn = Promise.all([pause(planned.atMs), ...before.map(({ end }) => end)]);
    done.push({ planned, end: turn.then(() => happen(planned.fault, books)) });
  }
  const ends = await Promise.allSettled(done.map(({ end }) => end));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  await pause(AFTERMATH_MS);
}

/** `cut api-1 - redis at 1.2 s for 3.0 s` */
export function describeFault({ fault, atMs }: PlannedFault): string {
  const lasts = fault.forMs > 0 ? ` for ${inSeconds(fault.forMs)}` : '';
  return `${fault.what} at ${inSeconds(atMs)}${lasts}`;
}

/** Healed also where it half came about: what is left would spoil all that follows. */
async function happen(fault: Fault, books: Books): Promise<void> {
  try {
    await fault.inject(books);
    await pause(fault.forMs);
  } finally {
    await fault.heal(books);
  }
}

function haveCommonVictim(one: Fault, other: Fault): boolean {
  return one.victims.some((victim) => other.victims.includes(victim));
}

const inSeconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
