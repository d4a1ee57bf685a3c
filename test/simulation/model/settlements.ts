import {
  countField,
  type EntrySettlement,
  levelField,
  type ModelOrder,
  type ModelState,
  type Offer,
  type PooledLine,
  type Status,
  type Token,
  writeToken,
} from './state.ts';

/** `status` and `asOf` (the sequence of an entry) are what the caller read of the order. */
export interface AskedSettlement {
  readonly place: string;
  readonly action: 'confirm' | 'cancel';
  readonly status: Status;
  readonly lines: readonly PooledLine[];
  readonly asOf: number;
  readonly user: string;
  readonly token: Token | null;
  /** '' where nobody says why. */
  readonly reason: string;
}

export interface SettlementTold {
  readonly kind: 'done' | 'already' | 'impossible' | 'again' | 'replayed' | 'mismatch';
  readonly status: Status;
}

/** Confirms and cancels orders one after the other; gives what each is told, and the sequence of their entry. */
export function settleOrders(
  state: ModelState,
  { at, settlements }: { at: number; settlements: readonly AskedSettlement[] },
) {
  const written: EntrySettlement[] = [];
  const keyed: { token: string; status: Status }[] = [];
  const outcomes = settlements.map((asked): SettlementTold => {
    const replayed = replay(state, asked);
    if (replayed) return replayed;
    if (mayBeOutOfDate(state, asked)) return { kind: 'again', status: asked.status };
    const { told, becomes } = nextStep(state, asked, at);
    if (becomes) written.push({ ...settle(state, asked.place, becomes), reason: reasonFor(becomes, asked) });
    if (asked.token && (told.kind === 'done' || told.kind === 'already')) {
      state.remember(asked.token, { status: told.status });
      keyed.push({ token: writeToken(asked.token)!, status: told.status });
    }
    return told;
  });
  const deed = { kind: 'settlements' as const, settlements: written, keyed };
  return { sequence: state.append(at, [...written, ...keyed], deed), outcomes };
}

function replay(state: ModelState, { token, status }: AskedSettlement): SettlementTold | null {
  const kept = state.recall(token);
  if (!kept) return null;
  if (kept.content !== token!.content || !('status' in kept)) return { kind: 'mismatch', status };
  return { kind: 'replayed', status: kept.status };
}

/** Ends the holds that are over, the longest overdue first. */
export function expireHolds(state: ModelState, { at }: { at: number }) {
  const due = [...state.holds].filter(([, endsAt]) => endsAt <= at);
  due.sort(([a, aEnds], [b, bEnds]) => aEnds - bEnds || (a < b ? -1 : 1));
  const settlements = due.map(([place]) => ({ ...settle(state, place, 'expired'), reason: null }));
  const sequence = state.append(at, settlements, { kind: 'settlements', settlements, keyed: [] });
  return { sequence, outcomes: [{ ended: due.length, more: 0 }] };
}

/** Redis does not know the order any more, and since the caller read it marks have gone that may have been its. */
function mayBeOutOfDate({ held, marks, forgotten }: ModelState, { place, asOf }: AskedSettlement): boolean {
  return !held.has(place) && !marks.has(place) && asOf < forgotten;
}

/** By what the order is by right: a caller's reading that is acted upon must say the same. */
function nextStep(
  state: ModelState,
  { place, action }: AskedSettlement,
  at: number,
): { told: SettlementTold; becomes?: Status } {
  const { status } = state.orders.get(place)!;
  const wanted = action === 'confirm' ? 'placed' : 'cancelled';
  if (status === wanted) return { told: { kind: 'already', status } };
  if (status === 'held' && state.holds.get(place)! <= at)
    return { told: { kind: 'impossible', status: 'expired' }, becomes: 'expired' };
  if (status === 'held' || (status === 'placed' && action === 'cancel'))
    return { told: { kind: 'done', status: wanted }, becomes: wanted };
  return { told: { kind: 'impossible', status } };
}

/** A reason is kept for what it was given for. */
function reasonFor(becomes: Status, { reason }: AskedSettlement): string | null {
  return becomes === 'cancelled' && reason !== '' ? reason : null;
}

/** The order becomes `status`, for good or until it is cancelled; unless it is placed its units go back. */
function settle(state: ModelState, place: string, status: Status): Omit<EntrySettlement, 'reason'> {
  const order = state.orders.get(place)!;
  order.status = status;
  const told = status === 'placed' ? { lines: [], strays: [], countedFor: null } : giveBack(state, order);
  state.holds.delete(place);
  state.held.delete(place);
  state.marks.set(place, { status, sequence: state.sequence });
  return { place, status, ...told };
}

/** To the pool that they were taken from, as long as its event is open as it was then; else to the regular one. */
function giveBack(
  state: ModelState,
  order: ModelOrder,
): Omit<EntrySettlement, 'place' | 'status' | 'reason'> {
  const pooled = order.lines.map(({ sku, quantity, eventId }) => ({ sku, quantity, eventId }));
  const isStray = (line: PooledLine) => line.eventId !== null && !offerBehind(state, order, line);
  const [lines, strays] = [pooled.filter((line) => !isStray(line)), pooled.filter(isStray)];
  for (const { sku, quantity, eventId } of lines) give(state, levelField(sku, eventId), quantity);
  for (const { sku, quantity } of strays) give(state, sku, quantity);
  const isCounted = lines.map((line) => countDown(state, order, line)).includes(true);
  return { lines, strays, countedFor: isCounted ? order.user : null };
}

function give(state: ModelState, field: string, quantity: number): void {
  state.levels.set(field, state.levels.get(field)! + quantity);
}

/** The offer under which the line was taken, if it is still up. */
function offerBehind(
  state: ModelState,
  { decided }: ModelOrder,
  { sku, eventId }: PooledLine,
): Offer | undefined {
  const offer = state.offers.get(sku);
  return offer && offer.event === eventId && offer.opened < decided ? offer : undefined;
}

/** Says whether the line was of something that is limited. */
function countDown(state: ModelState, order: ModelOrder, line: PooledLine): boolean {
  const offer = offerBehind(state, order, line);
  if (!offer || offer.limit === 0) return false;
  const field = countField(offer.opened, line.sku, order.user);
  const left = state.counts.get(field)! - line.quantity;
  if (left > 0) state.counts.set(field, left);
  else state.counts.delete(field);
  return true;
}
