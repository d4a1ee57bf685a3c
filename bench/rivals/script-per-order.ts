import { readFileSync } from 'node:fs';
import type { OrderOutcome, RequestedLine } from '../../engine/domain/order.ts';
import { createRedisClient, whenReady } from '../../engine/redis/client.ts';
import { packageRoot } from '../../engine/runtime/package-root.ts';
import { accepted, type Rival, type RivalConfig } from './rival.ts';
import { RIVAL_KEYS } from './rival-keys.ts';

const READY_MS = 5_000;

/**
 * One EVALSHA an order, many in flight on one connection, answered when each returns.
 *
 * @param pipelined with the driver's `enableAutoPipelining`: commands of one event-loop turn are sent together
 */
export async function createScriptPerOrder(config: RivalConfig, pipelined: boolean): Promise<Rival> {
  const redis = createRedisClient(config.REDIS_URL, () => undefined);
  await whenReady(redis, READY_MS);
  const script = readFileSync(`${packageRoot}/bench/rivals/place-one-order.lua`, 'utf8');
  const sha = (await redis.script('LOAD', script)) as string;
  redis.options.enableAutoPipelining = pipelined;
  return {
    async placeOrder({ user, lines }) {
      const at = Date.now();
      const args = [user, at, ...lines!.flatMap(({ sku, quantity }) => [sku, quantity])];
      const reply = await redis.evalsha(sha, KEYS.length, ...KEYS, ...args);
      return readReply(reply as string[], at, lines!);
    },
    async stop() {
      redis.disconnect();
    },
  };
}

const KEYS = [RIVAL_KEYS.levels, RIVAL_KEYS.prices, RIVAL_KEYS.journal];

function readReply([kind, ...rest]: string[], at: number, lines: readonly RequestedLine[]): OrderOutcome {
  if (kind === 'ok') return accepted(rest[0]!, at, lines, rest.slice(1).map(Number));
  if (kind === 'unknown') return { kind: 'unknown_product', skus: rest };
  const available = new Map<string, number>();
  for (let place = 0; place < rest.length; place += 2) available.set(rest[place]!, Number(rest[place + 1]));
  const shortages = lines
    .filter(({ sku }) => available.has(sku))
    .map(({ sku, quantity }) => ({ sku, requested: quantity, available: available.get(sku)! }));
  return { kind: 'out_of_stock', shortages };
}
