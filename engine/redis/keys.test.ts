import { expect, test } from 'vitest';
import { KEYS, laneKey } from './keys.ts';

test('the keys are spelled as docs/DATA.md says: data in place depends on it', () => {
  expect(KEYS).toEqual({
    epoch: 'bootakhae:{0}:epoch',
    journal: 'bootakhae:{0}:journal',
    levels: 'bootakhae:{0}:levels',
    prices: 'bootakhae:{0}:prices',
    catalogue: 'bootakhae:{0}:catalogue',
    wishlists: 'bootakhae:{0}:wishlists',
    pins: 'bootakhae:{0}:pins',
  });
  expect(laneKey('a1')).toBe('bootakhae:{0}:lane:a1');
});
