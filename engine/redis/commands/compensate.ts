import { InternalFault } from '../../domain/fault.ts';
import { levelField } from '../../domain/pool.ts';
import type { Compensation } from '../../journal/entry.ts';
import { KEYS } from '../keys.ts';
import type { LaneCall } from '../lane.ts';
import { loadScript } from '../script.ts';

export const compensateScript = loadScript('compensate');

/** The results of `lua/compensate.lua`, by their numbers there. */
export const RESULTS = { COMPENSATED: 1, CONFLICT: 2, SHORT: 3, TOO_MANY: 4, CORRUPT: 5 } as const;

/** Compensations to make, if the last one before them is the journal entry `since` ('' = there was none). */
export interface CompensationRequest {
  readonly since: string;
  readonly compensations: readonly Compensation[];
}

/** What became of the call. `at`: indexes of those that stood against it; nothing was changed then. */
export type CompensationOutcome =
  | { readonly kind: 'compensated'; readonly sequence: number }
  | { readonly kind: 'conflict' }
  | { readonly kind: 'short' | 'too_many' | 'corrupt'; readonly at: readonly number[] };

/** The call of `lua/compensate.lua` for a request. */
export function packCompensation(request: CompensationRequest, epoch: number, at: number): LaneCall {
  const flat = request.compensations.flatMap((compensation) => {
    const { redisDelta, levelDelta, movementDelta, reason } = compensation;
    return [levelField(compensation), redisDelta, levelDelta, movementDelta, reason];
  });
  return {
    script: compensateScript,
    epoch,
    at,
    keys: [KEYS.levels, KEYS.compensated],
    payload: [request.since, flat],
  };
}

/** Reads the script's reply. */
export function unpackCompensation(reply: unknown): CompensationOutcome {
  const [sequence, result, positions] = reply as [number, number, number[]];
  const at = positions.map((position) => position - 1);
  switch (result) {
    case RESULTS.COMPENSATED:
      return { kind: 'compensated', sequence };
    case RESULTS.CONFLICT:
      return { kind: 'conflict' };
    case RESULTS.SHORT:
      return { kind: 'short', at };
    case RESULTS.TOO_MANY:
      return { kind: 'too_many', at };
    case RESULTS.CORRUPT:
      return { kind: 'corrupt', at };
    default:
      throw new InternalFault(`compensate answered ${result}`);
  }
}
