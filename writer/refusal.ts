import { codeOf, describeError, isRefusedContent, isTooLarge } from '../engine/database/refusal.ts';
import { MissingRows } from '../engine/domain/fault.ts';
import { DamagedEntry } from '../engine/journal/damage.ts';

/** Why an entry is refused: what MariaDB calls it, if it was MariaDB, and a line for people. */
export interface Refusal {
  readonly code: string | null;
  readonly reason: string;
}

/**
 * Whether a transaction failed for what its entries hold, and would fail for ever; null for everything that may pass, and
 * for whatever we do not know: that is tried again. `isAlone`: the transaction had a single entry. Of several, the error
 * only says that one of them is to be looked for.
 */
export function refusalOf(error: unknown, isAlone: boolean): Refusal | null {
  const isContent = error instanceof DamagedEntry || error instanceof MissingRows || isRefusedContent(error);
  if (isContent || (isAlone && isTooLarge(error))) {
    return { code: codeOf(error), reason: describeError(error) };
  }
  return null;
}
