import { expect, test } from 'vitest';
import { BatchSize } from './batch-size.ts';

const quick = { ms: 20, isFull: true };

test('full batches that commit quickly grow to the bound and no further', () => {
  const size = new BatchSize(500);
  const sizes = Array.from({ length: 5 }, () => {
    size.committed(quick);
    return size.entries;
  });
  expect(sizes).toEqual([128, 256, 500, 500, 500]);
});

test('a batch that took all that was waiting, or took its time, does not grow', () => {
  const size = new BatchSize(500);
  size.committed({ ms: 20, isFull: false });
  size.committed({ ms: 400, isFull: true });
  expect(size.entries).toBe(64);
});

test('a slow commit and a failure halve it, down to one entry', () => {
  const size = new BatchSize(500);
  size.committed({ ms: 1_200, isFull: true });
  expect(size.entries).toBe(32);
  for (let time = 0; time < 9; time++) size.failed();
  expect(size.entries).toBe(1);
});

test('the bound holds from the start', () => {
  expect(new BatchSize(3).entries).toBe(3);
});
