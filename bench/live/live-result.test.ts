import { expect, test } from 'vitest';
import { type LiveSlice, ratiosOf } from './live-result.ts';

const slice = (clients: number, acceptedPerSecond: number, over: Partial<LiveSlice> = {}): LiveSlice => ({
  ...{
    clients,
    acceptedPerSecond,
    ratePerSecond: null,
    refusedPerSecond: 0,
    notOfferedPerSecond: 0,
    errors: 0,
  },
  ...{ p50: 1, p99: 10, cores: { api: 0.5, generator: 0.5 }, messagesPerSecond: 0, lost: 0, ...over },
});

test('each load with clients is held against its neighbour without, whichever came first; the middle one counts', () => {
  const watched = { cores: { api: 0.6, generator: 0.45, clients: 0.05 }, messagesPerSecond: 5_000, p99: 11 };
  const ratios = ratiosOf([
    ...[slice(0, 1_000), slice(9, 900, watched)],
    ...[slice(9, 500, watched), slice(0, 1_000)],
    ...[slice(0, 2_000), slice(9, 2_000, watched)],
  ]);
  expect(ratios.accepted).toBeCloseTo(0.9);
  expect(ratios.p99).toBeCloseTo(1.1);
  expect(ratios.cpuOfOrder).toBeCloseTo(1.1 / 0.9);
  expect(ratios.coresOfThousandMessages).toBeCloseTo((1.1 - 0.9) / 5);
});
