import {
  type EntryAdjustment,
  type EntryProduct,
  type Line,
  type ModelState,
  type Token,
  writeToken,
} from './state.ts';

export interface AskedProduct {
  readonly sku: string;
  readonly price: number;
  readonly stock: number;
  /** JSON. */
  readonly details: string;
}

/** An adjustment as the scripts' door sees it: anything may stand for the delta. */
export interface AskedAdjustment {
  readonly sku: string;
  readonly delta: unknown;
  readonly reason: string;
  readonly token: Token | null;
}

/** `units`: what is available after it; of a refusal, what there is. */
export interface AdjustmentTold {
  readonly kind: string;
  readonly units: number;
}

const MAX_STOCK = 1_000_000_000_000;
const MAX_DELTA = 1_000_000_000_000;

/** Creates products, or changes all but their stock. */
export function putProducts(
  state: ModelState,
  { at, products }: { at: number; products: readonly AskedProduct[] },
) {
  const written: EntryProduct[] = [];
  const outcomes = products.map(({ sku, price, stock, details }) => {
    const known = state.prices.has(sku);
    if (known && state.prices.get(sku) === price && state.details.get(sku) === details) return 'unchanged';
    state.prices.set(sku, price);
    state.details.set(sku, details);
    if (!known) state.levels.set(sku, stock);
    written.push({ sku, price, stock: known ? null : stock, details: JSON.parse(details) });
    return known ? 'changed' : 'created';
  });
  return { sequence: state.append(at, written, { kind: 'products', products: written }), outcomes };
}

/** Sets lines of wishlists; a quantity of 0 takes the line off. */
export function changeWishlists(
  state: ModelState,
  { at, changes }: { at: number; changes: readonly (Line & { user: string })[] },
) {
  const written: (Line & { user: string })[] = [];
  const outcomes = changes.map((change) => {
    const lines = state.wishlists.get(change.user) ?? [];
    const before = lines.find(({ sku }) => sku === change.sku)?.quantity ?? 0;
    if (change.quantity > 0 && !state.prices.has(change.sku)) return 'unknown_product';
    if (before === change.quantity) return 'done';
    written.push(change);
    const after = withLine(lines, change);
    if (after.length > 0) state.wishlists.set(change.user, after);
    else state.wishlists.delete(change.user);
    return 'done';
  });
  return { sequence: state.append(at, written, { kind: 'wishlists', changes: written }), outcomes };
}

function withLine(lines: readonly Line[], { sku, quantity }: Line): Line[] {
  if (quantity === 0) return lines.filter((line) => line.sku !== sku);
  if (lines.some((line) => line.sku === sku))
    return lines.map((line) => (line.sku === sku ? { sku, quantity } : line));
  return [...lines, { sku, quantity }];
}

/** Corrects levels of the regular pool. */
export function adjustStock(
  state: ModelState,
  { at, adjustments }: { at: number; adjustments: readonly AskedAdjustment[] },
) {
  const written: EntryAdjustment[] = [];
  const outcomes = adjustments.map((asked) => {
    const outcome = replay(state, asked) ?? adjust(state, asked);
    if (outcome.kind !== 'adjusted') return outcome;
    const { sku, reason, token } = asked;
    state.remember(token, { available: outcome.units });
    const told = { delta: Number(asked.delta), available: outcome.units, token: writeToken(token) };
    written.push({ sku, reason, ...told });
    return outcome;
  });
  return { sequence: state.append(at, written, { kind: 'adjustments', adjustments: written }), outcomes };
}

function replay(state: ModelState, { token }: AskedAdjustment): AdjustmentTold | null {
  const kept = state.recall(token);
  if (!kept) return null;
  if (kept.content !== token!.content || !('available' in kept)) return { kind: 'mismatch', units: 0 };
  return { kind: 'replayed', units: kept.available };
}

function adjust(state: ModelState, { sku, delta, reason }: AskedAdjustment): AdjustmentTold {
  const whole = Number.isInteger(delta) && Math.abs(Number(delta)) <= MAX_DELTA && Number(delta) !== 0;
  const characters = Array.from(reason).length;
  if (!whole || characters < 1 || characters > 255) return { kind: 'invalid', units: 0 };
  if (!state.prices.has(sku)) return { kind: 'unknown_product', units: 0 };
  const level = state.levels.get(sku)!;
  const units = level + Number(delta);
  if (units < 0) return { kind: 'out_of_stock', units: level };
  if (Number(delta) > 0 && units > MAX_STOCK) return { kind: 'too_many', units: level };
  state.levels.set(sku, units);
  return { kind: 'adjusted', units };
}
