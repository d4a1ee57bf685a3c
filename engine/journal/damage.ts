import { InternalFault } from '../domain/fault.ts';
import { CONTENT_CHARACTERS, SCOPE_CHARACTERS } from '../domain/idempotency.ts';

/** An entry whose content breaks what every entry must hold: no program will ever read it. */
export class DamagedEntry extends InternalFault {
  override readonly name = 'DamagedEntry';
}

/** Throws `DamagedEntry` unless it `holds`; `where` names the entry. */
export function must(holds: boolean, where: string, otherwise: string): void {
  if (!holds) throw new DamagedEntry(`${where} is damaged: ${otherwise}`);
}

/** Whether it is the token of an idempotency key, or the empty text that stands for none. */
export function isTokenOrNothing(token: unknown): boolean {
  return (
    token === '' || (typeof token === 'string' && token.length === SCOPE_CHARACTERS + CONTENT_CHARACTERS)
  );
}
