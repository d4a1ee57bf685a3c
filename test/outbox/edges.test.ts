import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseLevelField } from '../../engine/domain/pool.ts';
import { levelChangesOf } from '../../engine/outbox/level-changes.ts';
import { StockEdges } from '../../engine/outbox/stock-edges.ts';
import { foldEntries } from '../../writer/fold.ts';
import { MadeUpShop, type Moment, wishes } from './history.ts';

const RUNS = 300;

/** What fell over an edge between two states of all levels, worked out anew from these alone. */
function naiveEdges({ entry, before, after }: Moment, threshold: number): string[] {
  const closed = entry.kind === 'events' && entry.change.action === 'close' ? entry.change.event.id : '';
  return [...after].flatMap(([field, units]) => {
    const was = before.get(field) ?? 0;
    const { sku, pool } = parseLevelField(field);
    if (units >= was || pool === closed) return [];
    if (units === 0) return [`stock.out ${sku} ${pool} 0`];
    return was > threshold && units <= threshold ? [`stock.low ${sku} ${pool} ${units}`] : [];
  });
}

function edgesOf({ entry }: Moment, edges: StockEdges): string[] {
  return edges.pass(entry).map(({ type, sku, pool, available }) => `${type} ${sku} ${pool} ${available}`);
}

test('edges are those that the levels of a shop kept by hand have, whatever happens in it', () => {
  fc.assert(
    fc.property(wishes, fc.integer({ min: 0, max: 12 }), fc.nat(59), (all, threshold, from) => {
      const moments = new MadeUpShop(all).moments.slice(from);
      const edges = new StockEdges(moments[0]?.before ?? new Map(), threshold);
      for (const moment of moments)
        expect(edgesOf(moment, edges).sort()).toEqual(naiveEdges(moment, threshold).sort());
    }),
    { numRuns: RUNS, verbose: 1 },
  );
});

test('the histories have falls of each kind in every kind of pool, closings among them', () => {
  const seen = new Set<string>();
  for (const all of fc.sample(wishes, { numRuns: RUNS, seed: 1 })) {
    for (const moment of new MadeUpShop(all).moments) {
      for (const edge of naiveEdges(moment, 10)) {
        const [type, , pool] = edge.split(' ');
        seen.add(`${moment.entry.kind}: ${type}, ${pool === 'regular' ? 'regular' : 'event'}`);
      }
    }
  }
  expect([...seen].sort()).toEqual([
    'adjustments: stock.low, regular',
    'adjustments: stock.out, regular',
    'compensations: stock.low, regular',
    'compensations: stock.out, regular',
    'events: stock.low, event',
    'events: stock.low, regular',
    'events: stock.out, event',
    'events: stock.out, regular',
    'orders: stock.low, event',
    'orders: stock.low, regular',
    'orders: stock.out, event',
    'orders: stock.out, regular',
  ]);
});

test('an entry changes the levels that the writer changes', () => {
  fc.assert(
    fc.property(wishes, (all) => {
      for (const { entry } of new MadeUpShop(all).moments) {
        const { levels, newLevels } = foldEntries([entry]);
        const written = [
          ...newLevels.map(({ available, ...level }) => ({ ...level, delta: available })),
          ...levels,
        ];
        const changed = Array.from(levelChangesOf(entry), ([field, delta]) => ({
          ...parseLevelField(field),
          delta,
        }));
        const bySku = (a: { sku: string; pool: string }, b: { sku: string; pool: string }) =>
          `${a.sku} ${a.pool}` < `${b.sku} ${b.pool}` ? -1 : 1;
        expect(changed.sort(bySku)).toEqual(written.sort(bySku));
      }
    }),
    { numRuns: RUNS },
  );
});
