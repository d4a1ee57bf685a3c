import type { Told } from './model/model.ts';
import type { OrderTold } from './model/orders.ts';
import { isInForce, type Offer, type OrderedLine } from './model/state.ts';
import type { Call } from './script-arguments.ts';
import type { WholeState } from './whole-state.ts';

/** What a call met with that its reply does not say: in which state of the sale events it came. */
export function circumstancesOf(
  { call, told }: { call: Call; told: Told },
  before: WholeState,
  after: WholeState,
): string[] {
  const offers = new Map(before.offers);
  if (call.script === 'place-orders') return ofOrders(told.outcomes as OrderTold[], offers, call);
  if (call.script === 'settle-orders' || call.script === 'expire-holds')
    return ofSettlements(told.sequence!, offers, after);
  if (call.script !== 'change-event') return [];
  const moved = (told.outcomes[0] as { moved?: number[] }).moved ?? [];
  const short = call.action === 'open' && moved.some((units, at) => units < call.items[at]!.stock);
  const closed = call.action === 'close' && moved.some((units) => units < 0);
  return [...(short ? ['opened with less'] : []), ...(closed ? ['closed'] : [])];
}

function ofOrders(
  outcomes: readonly OrderTold[],
  offers: ReadonlyMap<string, Offer>,
  { at, holdMs }: { at: number; holdMs: number },
): string[] {
  const accepted = outcomes.filter((outcome) => outcome.kind === 'accepted');
  const holds = new Set(accepted.map((order) => order.holdMs));
  const found = accepted.flatMap(({ lines }) => lines.map((line) => ofLine(line, offers.get(line.sku), at)));
  const holdsOf = (lines: readonly OrderedLine[]) =>
    new Set(lines.map(({ sku, eventId }) => (eventId === null ? holdMs : offers.get(sku)!.holdMs)));
  const isMixed = accepted.some(({ lines }) => [...holdsOf(lines)].filter((ms) => ms > 0).length > 1);
  return [...found, ...(holds.size > 1 ? ['several holds'] : []), ...(isMixed ? ['mixed hold'] : [])];
}

function ofLine({ eventId }: OrderedLine, offer: Offer | undefined, at: number): string {
  if (eventId !== null) return offer!.limit > 0 ? 'within a limit' : 'without a limit';
  if (!offer || isInForce(offer, at)) return 'regular';
  return at < offer.startsAt ? 'before its event' : 'after its event';
}

function ofSettlements(sequence: number, offers: ReadonlyMap<string, Offer>, after: WholeState): string[] {
  const entry = after.entries.find((each) => each.sequence === sequence);
  if (entry?.kind !== 'settlements') return [];
  return entry.settlements.flatMap(({ lines, strays, countedFor }) => [
    ...(lines.some(({ eventId }) => eventId !== null) ? ['back to its pool'] : []),
    ...(countedFor === null ? [] : ['counted down']),
    ...strays.map(({ sku, eventId }) =>
      offers.get(sku)?.event === eventId ? 'stray of a reopened event' : 'stray of a closed event',
    ),
  ]);
}
