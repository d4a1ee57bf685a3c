import type { Ledger } from './ledger.ts';
import type { Purchase } from './sale-book.ts';

interface Interval {
  readonly units: number;
  readonly fromMs: number;
  readonly untilMs: number;
}

/**
 * P1: at no instant had a customer more than the limit of a sale in orders that were live then for certain: told, not asked to be
 * cancelled yet, and within their hold or confirmed.
 */
export function checkLimits(ledger: Ledger): void {
  const intervals = new Map<string, Interval[]>();
  for (const [id, purchase] of ledger.sales.purchases) {
    const isConfirmed = ledger.orders.get(id)!.said.has('confirmed');
    const [fromMs, untilMs] = [purchase.fromMs, liveUntil(purchase, isConfirmed)];
    for (const { sku, quantity: units, eventId } of purchase.lines) {
      const field = `${eventId}\0${sku}\0${purchase.user}`;
      const others = intervals.get(field) ?? [];
      intervals.set(field, [...others, { units, fromMs, untilMs }]);
    }
  }
  for (const [field, bought] of intervals) {
    const [event, sku, user] = field.split('\0') as [string, string, string];
    const limit = ledger.sales.itemOf(event, sku)?.limitPerUser ?? Number.POSITIVE_INFINITY;
    const most = mostAtOnce(bought);
    if (most > limit) ledger.fault('oversold', `${user} had ${most} of "${sku}" of ${event}, limit ${limit}`);
  }
}

function liveUntil({ holdEndsMs, cancelAskedMs }: Purchase, isConfirmed: boolean): number {
  return isConfirmed ? cancelAskedMs : Math.min(cancelAskedMs, holdEndsMs);
}

/** The sum is highest at the beginning of one of them. */
function mostAtOnce(intervals: readonly Interval[]): number {
  const sums = intervals.map(({ fromMs: at }) =>
    intervals
      .filter(({ fromMs, untilMs }) => fromMs <= at && at < untilMs)
      .reduce((sum, { units }) => sum + units, 0),
  );
  return Math.max(...sums);
}
