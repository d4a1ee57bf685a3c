import type { DrawnOrder } from './commands.ts';
import type { Line } from './model/state.ts';
import type { WholeState } from './whole-state.ts';

/** The total that the user of a drawn order names when `now` is what is there, minor units; null = none. */
export function expectedTotal(
  { user, lines, expects }: DrawnOrder,
  now: WholeState,
  at: number,
): number | null {
  if (expects === null) return null;
  const wanted = lines ?? (new Map(now.wishlists).get(user) as readonly Line[] | undefined) ?? [];
  const prices = new Map(now.prices);
  if (expects !== 'regular')
    for (const [sku, { price, startsAt, endsAt }] of now.offers)
      if (startsAt <= at && at < endsAt) prices.set(sku, price);
  const cost = wanted.reduce((sum, { sku, quantity }) => sum + Number(quantity) * (prices.get(sku) ?? 0), 0);
  const total = expects === 'wrong' ? cost + 1 : cost;
  return Number.isSafeInteger(total) && total >= 0 ? total : null;
}
