import { expect, test } from 'vitest';
import { oneAtATime } from './one-at-a-time.ts';

test('one after the other, in order; one that fails holds up nobody', async () => {
  const said: string[] = [];
  const work = oneAtATime(async (name: string) => {
    said.push(`${name} begins`);
    await new Promise((resolve) => setImmediate(resolve));
    said.push(`${name} ends`);
    if (name === 'b') throw new Error('no');
    return name;
  });
  const results = await Promise.allSettled(['a', 'b', 'c'].map((name) => work(name)));
  expect(said).toEqual(['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} ends`]));
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});
