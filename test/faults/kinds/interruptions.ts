import { setTimeout as pause } from 'node:timers/promises';
import { createRedisClient, type RedisClient, whenReady } from '../../../engine/redis/client.ts';
import type { Rig } from '../rig/rig.ts';
import type { FaultKind } from './fault.ts';

const TIMES = [1, 20] as const;
const BETWEEN_MS = [10, 150] as const;
const READY_MS = 10_000;

/** Redis is interrupted again and again in whatever it is doing. */
export const INTERRUPTIONS: readonly FaultKind[] = [
  repeating('script-flush', (operator) => operator.script('FLUSH')),
  repeating('client-kill', (operator) => operator.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')),
];

function repeating(name: string, interrupt: (operator: RedisClient) => Promise<unknown>): FaultKind {
  return {
    name,
    draw(rig, random) {
      const pauses = Array.from({ length: random.between(...TIMES) }, () => random.between(...BETWEEN_MS));
      return {
        what: `${name} ${pauses.length} times`,
        victims: ['redis'],
        forMs: 0,
        inject: () =>
          withOperator(rig, async (operator) => {
            for (const ms of pauses) {
              await interrupt(operator);
              await pause(ms);
            }
          }),
        heal: () => undefined,
      };
    },
  };
}

async function withOperator(rig: Rig, work: (operator: RedisClient) => Promise<void>): Promise<void> {
  const operator = createRedisClient(rig.servers.redis.url, () => undefined);
  try {
    await whenReady(operator, READY_MS);
    await work(operator);
  } finally {
    operator.disconnect();
  }
}
