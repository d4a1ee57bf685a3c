import { expect, test } from 'vitest';
import { IDEMPOTENCY_KEYS, KEYS, laneKey } from './keys.ts';

test('the keys are spelled as docs/DATA.md says: data in place depends on it', () => {
  expect(KEYS).toEqual({
    epoch: 'bootakhae:{0}:epoch',
    journal: 'bootakhae:{0}:journal',
    levels: 'bootakhae:{0}:levels',
    prices: 'bootakhae:{0}:prices',
    catalogue: 'bootakhae:{0}:catalogue',
    wishlists: 'bootakhae:{0}:wishlists',
    pins: 'bootakhae:{0}:pins',
    forgotten: 'bootakhae:{0}:forgotten',
    recovering: 'bootakhae:{0}:recovering',
    vetted: 'bootakhae:{0}:vetted',
    holds: 'bootakhae:{0}:holds',
    held: 'bootakhae:{0}:held',
    settled: 'bootakhae:{0}:settled',
    offers: 'bootakhae:{0}:offers',
    counts: 'bootakhae:{0}:counts',
    events: 'bootakhae:{0}:events',
    revision: 'bootakhae:{0}:revision',
    idempotency: 'bootakhae:{0}:idempotency',
    compensated: 'bootakhae:{0}:compensated',
    processes: 'bootakhae:{0}:processes',
    reconciliation: 'bootakhae:{0}:reconciliation',
  });
  expect(IDEMPOTENCY_KEYS).toEqual([
    'bootakhae:{0}:idempotency',
    ...[1, 2, 3, 4, 5, 6].map((slot) => `bootakhae:{0}:idempotency:${slot}`),
  ]);
  expect(laneKey('a1')).toBe('bootakhae:{0}:lane:a1');
});
