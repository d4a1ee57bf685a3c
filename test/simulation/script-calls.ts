import type { RedisClient } from '../../engine/redis/client.ts';
import { PLACE_ORDERS_KEYS } from '../../engine/redis/commands/place-orders.ts';
import { IDEMPOTENCY_KEYS, KEYS, laneKey, SETTLEMENT_KEYS } from '../../engine/redis/keys.ts';
import { packMessage, unpackMessage } from '../../engine/redis/message-pack.ts';
import { callScript, loadScript } from '../../engine/redis/script.ts';
import { sweepCounts } from '../../engine/redis/sweep-counts.ts';
import type { Told } from './model/model.ts';
import { argumentOf, type Call, type WritingScript } from './script-arguments.ts';
import { readTold } from './script-replies.ts';

const KEYS_OF: Readonly<Record<WritingScript, readonly string[]>> = {
  'place-orders': PLACE_ORDERS_KEYS,
  'put-products': [KEYS.levels, KEYS.prices, KEYS.catalogue],
  'change-wishlists': [KEYS.prices, KEYS.wishlists],
  'adjust-stock': [KEYS.levels, KEYS.prices, ...IDEMPOTENCY_KEYS],
  'settle-orders': [...SETTLEMENT_KEYS, KEYS.forgotten, ...IDEMPOTENCY_KEYS],
  'expire-holds': SETTLEMENT_KEYS,
  'change-event': [
    ...[KEYS.levels, KEYS.prices, KEYS.offers, KEYS.events, KEYS.revision],
    ...IDEMPOTENCY_KEYS,
  ],
};

const TRIM_KEYS = [KEYS.journal, KEYS.pins, KEYS.settled, KEYS.forgotten];

const scripts = new Map<string, ReturnType<typeof loadScript>>();

function scriptOf(name: string) {
  const script = scripts.get(name) ?? loadScript(name);
  scripts.set(name, script);
  return script;
}

/** Makes the call on Redis, as number `sequence` of its lane; resolves to what its reply tells. */
export async function makeCall(redis: RedisClient, call: Call, sequence: number): Promise<Told> {
  switch (call.script) {
    case 'pin-journal':
      await redis.hset(KEYS.pins, call.reader, `1-${call.sequence} ${call.untilMs}`);
      return { sequence: null, outcomes: [] };
    case 'trim-journal': {
      const marks = call.settled.flatMap((mark) => [1, mark.sequence, mark.place]);
      const args = [1, call.committed, call.at, packMessage(marks)];
      const reply = await callScript(redis, scriptOf(call.script), { keys: TRIM_KEYS, args });
      return { sequence: null, outcomes: [String(reply)] };
    }
    case 'rotate-idempotency': {
      const args = [call.at, call.widthMs];
      const reply = await callScript(redis, scriptOf(call.script), { keys: IDEMPOTENCY_KEYS, args });
      return { sequence: null, outcomes: [reply] };
    }
    case 'sweep-counts':
      return { sequence: null, outcomes: [await sweepCounts(redis)] };
    default:
      return readTold(call, await sendArgument(redis, call.script, argumentOf(call, sequence)));
  }
}

/** Sends a packed argument to a script as it is; resolves to the unpacked reply. */
export async function sendArgument(
  redis: RedisClient,
  script: WritingScript,
  argument: Buffer,
): Promise<unknown> {
  const keys = [KEYS.epoch, laneKey('test'), KEYS.journal, ...KEYS_OF[script]];
  return unpackMessage((await callScript(redis, scriptOf(script), { keys, args: [argument] })) as Buffer);
}
