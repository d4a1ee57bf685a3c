import { expect, test } from 'vitest';
import { sharedRead } from './shared-read.ts';

/** A read whose ends the test decides. */
function held() {
  const reads: { resolve: (value: string) => void; reject: (error: Error) => void }[] = [];
  const read = sharedRead(
    () => new Promise<string>((resolve, reject) => void reads.push({ resolve, reject })),
  );
  return { reads, read };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('who asks alone is answered by a read of their own', async () => {
  const { reads, read } = held();
  for (const value of ['a', 'b']) {
    const answer = read();
    reads.at(-1)!.resolve(value);
    expect(await answer).toBe(value);
    await turn();
  }
  expect(reads).toHaveLength(2);
});

test('who asks while one is under way gets what is read after it, all of them the same', async () => {
  const { reads, read } = held();
  const first = read();
  const others = [read(), read(), read()];
  await turn();
  expect(reads).toHaveLength(1);
  reads[0]!.resolve('before they asked');
  expect(await first).toBe('before they asked');
  await turn();
  expect(reads).toHaveLength(2);
  const late = read();
  reads[1]!.resolve('after');
  expect(await Promise.all(others)).toEqual(['after', 'after', 'after']);
  await turn();
  reads[2]!.resolve('after that');
  expect(await late).toBe('after that');
  await turn();
  read();
  expect(reads).toHaveLength(4);
});

test('a read that fails fails for those who share it, and for nobody else', async () => {
  const { reads, read } = held();
  const first = expect(read()).rejects.toThrow('away');
  const others = [read(), read()];
  reads[0]!.reject(new Error('away'));
  await first;
  await turn();
  reads[1]!.resolve('back');
  expect(await Promise.all(others)).toEqual(['back', 'back']);
});
