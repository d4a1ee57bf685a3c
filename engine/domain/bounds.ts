/**
 * The bounds on what the engine takes in, each with its unit last. The scripts hold the same numbers, since they
 * trust no caller; `lua/headers.test.ts` keeps the two equal.
 */
export const MAX_LINES_OF_ORDER = 1_000;
export const MAX_LINES_OF_WISHLIST = 1_000;
export const MAX_QUANTITY_UNITS = 1_000_000;
export const MAX_STOCK_UNITS = 1_000_000_000_000;
export const MAX_PRICE_MINOR_UNITS = 1_000_000_000_000;
/** Either way. */
export const MAX_ADJUSTMENT_UNITS = 1_000_000_000_000;
export const MAX_REASON_CHARACTERS = 255;

/** Orders in one call: past about 256 latency triples for little gain (docs/ARCHITECTURE.md, "Group commit"). */
export const MAX_ORDERS_OF_CALL = 1_024;
/** Lines in one call: Lua's unpack() fails past about 8,000 values and HSET takes two a line. */
export const MAX_LINES_OF_CALL = 3_900;
export const MAX_PRODUCTS_OF_CALL = 1_000;
export const MAX_CHANGES_OF_CALL = 1_000;
export const MAX_ADJUSTMENTS_OF_CALL = 1_000;
export const MAX_SETTLEMENTS_OF_CALL = 256;
export const MAX_COMPENSATIONS_OF_CALL = 1_000;
/** MariaDB keeps the deltas of Redis's level and of its own before it, in the same 255 characters. */
export const MAX_COMPENSATION_REASON_CHARACTERS = 200;

export const MAX_ITEMS_OF_EVENT = 1_000;
/** A customer can have no more of one SKU in one order. */
export const MAX_LIMIT_UNITS = 1_000_000;
export const MAX_HOLD_SECONDS = 31_536_000;
export const MAX_EVENT_NAME_CHARACTERS = 255;

export const MAX_SKU_CHARACTERS = 64;
export const MAX_USER_CHARACTERS = 128;

/** Any printable text without control characters, space only inside. NUL parts the fields of event pools. */
export const SKU_PATTERN = '^(?! )[^\\u0000-\\u001f\\u007f-\\u009f\\ud800-\\udfff]+(?<! )$';

/** The same for people. */
export const SKU_RULE = `must have 1 to ${MAX_SKU_CHARACTERS} printable characters, no space at either end`;

/** Any printable text that is not blank. A lone surrogate would be other bytes in the journal. */
export const REASON_PATTERN = '^(?=.*\\S)[^\\u0000-\\u001f\\u007f-\\u009f\\ud800-\\udfff]+$';

/** The same for people, of so many characters at the most. */
export const reasonRule = (characters: number) =>
  `must have 1 to ${characters} characters, not all of them spaces, no control characters`;

const sku = new RegExp(SKU_PATTERN, 'u');
const reason = new RegExp(REASON_PATTERN, 'u');

/** Segments that every URL parser takes out of a path: no request could name such a product. */
const UNREACHABLE = ['.', '..'];

/**
 * Whether `value` may name a product: 1 to 64 characters, none of them a control character or a lone surrogate, and
 * composed as Unicode's NFC has it, so that one look (é as one character or as two) is one product.
 */
export function isSku(value: string): boolean {
  return (
    !UNREACHABLE.includes(value) &&
    value === value.normalize('NFC') &&
    value.length <= MAX_SKU_CHARACTERS &&
    sku.test(value)
  );
}

/** Whether `value` may name a user (the `sub` of a token): 1 to 128 characters, the same kind as a SKU's. */
export function isUser(value: string): boolean {
  return value.length <= MAX_USER_CHARACTERS && sku.test(value);
}

/** Whether `value` may be the reason of an adjustment: 1 to 255 characters, not blank, no control characters. */
export function isReason(value: string): boolean {
  return value.length <= MAX_REASON_CHARACTERS && reason.test(value);
}
