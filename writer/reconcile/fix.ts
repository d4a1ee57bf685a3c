import type { Compensation } from '../../engine/journal/entry.ts';
import {
  type CompensationOutcome,
  packCompensation,
  unpackCompensation,
} from '../../engine/redis/commands/compensate.ts';
import type { Lane } from '../../engine/redis/lane.ts';
import type { Clock } from '../../engine/runtime/clock.ts';

export interface FixOptions {
  readonly lane: Lane;
  readonly clock: Clock;
  readonly epoch: number;
  /** The last compensation before the comparison on which these are founded. */
  readonly since: string;
}

/** What was done: journal ids of the entries, those that were refused with the reason, and whether somebody else was first. */
export interface FixResult {
  readonly entries: readonly string[];
  readonly made: readonly Compensation[];
  readonly refused: readonly { readonly compensation: Compensation; readonly why: string }[];
  readonly isConflict: boolean;
}

const COMPENSATIONS_OF_CALL = 500;

/**
 * Makes compensations, some hundreds a call. Each call names the one before, so that of two who compensate at once on the same
 * findings one does it and the other is told `isConflict`. Those that their level cannot take are left out, the others made.
 * Rejects as `Lane.call`.
 */
export async function makeCompensations(
  compensations: readonly Compensation[],
  options: FixOptions,
): Promise<FixResult> {
  const result = { entries: [] as string[], made: [] as Compensation[], refused: [] as Refusal[] };
  let since = options.since;
  const waiting = [...compensations];
  while (waiting.length > 0) {
    const call = waiting.splice(0, COMPENSATIONS_OF_CALL);
    const outcome = await callOnce(call, { ...options, since });
    if (outcome.kind === 'conflict') return { ...result, isConflict: true };
    if (outcome.kind === 'compensated') {
      since = `${options.epoch}-${outcome.sequence}`;
      result.entries.push(since);
      result.made.push(...call);
      continue;
    }
    const why = REFUSALS[outcome.kind];
    result.refused.push(...outcome.at.map((at) => ({ compensation: call[at]!, why })));
    waiting.unshift(...call.filter((_, at) => !outcome.at.includes(at)));
  }
  return { ...result, isConflict: false };
}

type Refusal = FixResult['refused'][number];

const REFUSALS = {
  short: 'it was sold meanwhile: the level would go below zero',
  too_many: 'the level would pass what it can hold',
  corrupt: 'Redis has no such level, or it is no number: bootakhae recover',
} as const;

async function callOnce(
  compensations: readonly Compensation[],
  { lane, clock, epoch, since }: FixOptions,
): Promise<CompensationOutcome> {
  const call = packCompensation({ since, compensations }, epoch, clock.nowMs());
  return unpackCompensation(await lane.call(call));
}
