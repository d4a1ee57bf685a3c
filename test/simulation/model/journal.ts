import type { ModelState } from './state.ts';

/** `committed` is the last entry that MariaDB has; `settled` the orders that committed entries settled. */
export interface AskedTrim {
  readonly at: number;
  readonly committed: number;
  readonly settled: readonly { readonly sequence: number; readonly place: string }[];
}

/** Drops what is committed and not pinned, and the marks that those entries made; gives how far it is trimmed. */
export function trimJournal(state: ModelState, { at, committed, settled }: AskedTrim): string {
  for (const [reader, { untilMs }] of state.pins) if (untilMs <= at) state.pins.delete(reader);
  const pinned = Array.from(state.pins.values(), ({ sequence }) => sequence);
  const last = Math.min(committed, ...pinned);
  state.entries = state.entries.filter(({ sequence }) => sequence > last);
  for (const { sequence, place } of settled) {
    const mark = state.marks.get(place);
    if (sequence > last || !mark || mark.sequence > last) continue;
    state.marks.delete(place);
    state.forgotten = Math.max(state.forgotten, mark.sequence);
  }
  return `1-${last}`;
}

/** A reader needs the entries after `sequence` until `untilMs`. */
export function pinJournal(
  state: ModelState,
  { reader, sequence, untilMs }: { reader: string; sequence: number; untilMs: number },
): void {
  state.pins.set(reader, { sequence, untilMs });
}

/** The oldest slot is emptied and becomes the current one, when the current one is `widthMs` old. 1 = it turned. */
export function rotateIdempotency(
  state: ModelState,
  { at, widthMs }: { at: number; widthMs: number },
): 0 | 1 {
  const { slot, since } = state.ring;
  if (since === null) state.ring = { slot: 1, since: at };
  if (since === null || at - since < widthMs) return 0;
  const next = slot === state.slots.length ? 1 : slot + 1;
  state.slots[next - 1]!.clear();
  state.ring = { slot: next, since: at };
  return 1;
}
