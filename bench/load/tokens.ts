import { signToken } from '../../engine/token/token.ts';
import type { ScenarioOrder } from '../scenarios.ts';

const TOKEN_MS = 3_600_000;

/** A token for each user of these orders, good for an hour. */
export function signTokens(orders: readonly ScenarioOrder[], secret: string): ReadonlyMap<string, string> {
  const users = new Set(orders.map(({ user }) => user));
  return new Map(
    Array.from(users, (user) => [user, signToken(secret, { user, role: 'customer' }, TOKEN_MS)]),
  );
}
