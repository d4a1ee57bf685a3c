import { Type } from '@sinclair/typebox';

/** `?limit=`: how many a page may have. */
export const PageLimit = Type.Optional(
  Type.RegExp(/^([1-9]\d?|100)$/, { rule: 'must be a whole number from 1 to 100' }),
);

/** `?cursor=`: where a page begins. */
export const pageCursor = (pattern: RegExp) =>
  Type.Optional(Type.RegExp(pattern, { rule: 'must be the nextCursor of an earlier page' }));

/** The first `limit` of what was found, and the cursor of the page after it: null where no more was found. */
export function pageOf<Found>(found: readonly Found[], limit: number, cursorOf: (last: Found) => string) {
  const items = found.slice(0, limit);
  return { items, nextCursor: found.length > limit ? cursorOf(items.at(-1)!) : null };
}
