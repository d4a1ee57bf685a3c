import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type StoredEntry, UnknownFormat } from '../journal/entry.ts';
import { packMessage } from '../redis/message-pack.ts';
import { packEntries, unpackEntries } from './packed-entries.ts';

const entry = fc.record({
  position: fc.record({ epoch: fc.integer({ min: 1, max: 2 ** 20 }), sequence: fc.maxSafeNat() }),
  content: fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.integer({ min: 20_000, max: 90_000 }).map((length) => new Uint8Array(length)),
  ),
});

/** Comparing large buffers byte by byte takes minutes. */
const readable = ({ position, content }: StoredEntry) => ({ position, content: content.toString('base64') });

test('P5: what is packed is what was there, in order, small entries together and large ones not', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 60 }), (entries) => {
      const stored = entries.map((each) => ({ ...each, content: Buffer.from(each.content) }));
      const rows = packEntries(stored);
      expect(rows.flatMap(({ content }) => unpackEntries(content)).map(readable)).toEqual(
        stored.map(readable),
      );
      for (const { position, content } of rows) {
        const inside = unpackEntries(content);
        expect(inside[0]!.position).toEqual(position);
        expect(inside.length).toBeLessThanOrEqual(16);
        const bytes = inside.reduce((sum, each) => sum + each.content.length, 0);
        expect(inside.length === 1 || bytes <= 65_536).toBe(true);
      }
    }),
  );
  const small = Array.from({ length: 33 }, (_, sequence) => ({
    position: { epoch: 1, sequence },
    content: Buffer.from([sequence]),
  }));
  expect(packEntries(small)).toHaveLength(3);
});

test('P5: a row of a later format is refused by name', () => {
  expect(() => unpackEntries(packMessage([2, 'anything']))).toThrow(UnknownFormat);
});
