import { CONTENT_CHARACTERS, type IdempotencyRecord, splitToken } from '../domain/idempotency.ts';
import type { RedisClient } from './client.ts';
import { IDEMPOTENCY_KEYS } from './keys.ts';

/**
 * Reads what the key of a token led to before, or null. For refusals that are decided outside a script: what
 * changes something asks again in the script that changes it.
 */
export async function readIdempotencyRecord(
  redis: RedisClient,
  token: string,
): Promise<IdempotencyRecord | null> {
  const { scope } = splitToken(token);
  const [, ...slots] = IDEMPOTENCY_KEYS;
  const found = await Promise.all(slots.map((slot) => redis.hget(slot, scope)));
  const record = found.find((each) => each !== null);
  if (!record) return null;
  return { scope, content: record.slice(0, CONTENT_CHARACTERS), outcome: record.slice(CONTENT_CHARACTERS) };
}
