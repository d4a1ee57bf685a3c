import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { InternalFault, NotAccepting, OutcomeUnknown } from '../domain/fault.ts';
import type { Position } from '../domain/position.ts';
import type { Clock } from '../runtime/clock.ts';
import { within } from '../runtime/deadline.ts';
import { isRefusalOfRedis, type RedisClient } from './client.ts';
import { KEYS, laneKey } from './keys.ts';
import { packMessage, unpackMessage } from './message-pack.ts';
import { areReadsAnswered, sortRefusal } from './refusals.ts';
import { callScript, type Script, type ScriptCall } from './script.ts';

/** One call of a script that changes something. `keys` are those after epoch, lane and journal. */
export interface LaneCall {
  readonly script: Script;
  readonly epoch: number;
  /** The engine's clock for this call, ms since 1970. */
  readonly at: number;
  readonly keys: readonly string[];
  /** What follows the envelope's head in ARGV[1]. */
  readonly payload: readonly unknown[];
}

export interface LaneOptions {
  readonly redis: RedisClient;
  readonly clock: Clock;
  /** The epoch in force. Throws `NotAccepting` while the gate is closed. */
  readonly epoch: () => number;
  /** How long the truth of a call is looked for before it is given up as unknown. */
  readonly deadlineMs: number;
  /** Told of the journal entry of each call before its caller is: nobody may be told of an entry that can be forgotten. */
  readonly acknowledge?: (position: Position) => void;
  /** How many replicas must have a call's effects before its caller is told of them, and how long they are waited for. */
  readonly replication?: Replication;
}

/** `replicas` that must have a call's effects, waited for `waitMs` at most. */
export interface Replication {
  readonly replicas: number;
  readonly waitMs: number;
}

const NO_REPLICAS: Replication = { replicas: 0, waitMs: 0 };

const FORMAT = 1;
const PAUSE_BEFORE_AGAIN_MS = 20;
const COLON = 0x3a;
/** As long as the scripts keep it (lua/fragments/envelope.lua). */
const LANE_SECONDS = 86_400;

/**
 * A string of calls, one in flight at a time, each of which has its effect exactly once (P4).
 *
 * The script keeps the lane's last sequence and reply under the lane's key. When no answer is heard (connection
 * broken, Redis restarted) the lane sends the very same bytes again: if the first call had arrived it gets that
 * call's answer, else it runs now. The idea is Kafka's idempotent producer
 * (https://cwiki.apache.org/confluence/display/KAFKA/KIP-98); it costs one key a lane instead of one an order.
 */
export class Lane {
  readonly #options: LaneOptions;
  #name = randomUUID();
  #sequence = 0;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /**
   * Resolves to the unpacked reply. Rejects with `NotAccepting` when certainly nothing was changed, with
   * `OutcomeUnknown` when the truth could not be learned in time, with `InternalFault` for a mistake of ours.
   */
  async call(call: LaneCall): Promise<unknown> {
    const attempt = this.#prepare(call);
    for (;;) {
      try {
        return this.#acknowledge(call, unpackMessage(await this.#send(attempt)));
      } catch (error) {
        const reply = await this.#afterFailure(attempt, error);
        if (reply) return this.#acknowledge(call, unpackMessage(reply));
      }
    }
  }

  /** Every script that goes over a lane answers the sequence of its entry first; -1 = there is none. */
  #acknowledge({ epoch }: LaneCall, reply: unknown): unknown {
    const [sequence] = reply as [number];
    if (sequence >= 0) this.#options.acknowledge?.({ epoch, sequence });
    return reply;
  }

  /** The same bytes however often they are sent: the lane's name and sequence decide what they are. */
  #prepare(call: LaneCall): Attempt {
    this.#sequence += 1;
    const head = [FORMAT, call.epoch, call.at, this.#sequence];
    const scriptCall = {
      keys: [KEYS.epoch, laneKey(this.#name), KEYS.journal, ...call.keys],
      args: [packMessage([...head, ...call.payload])],
    };
    const deadline = this.#options.clock.monotonicMs() + this.#options.deadlineMs;
    return { call, scriptCall, deadline, mayHaveRun: false };
  }

  async #send({ call, scriptCall, deadline, mayHaveRun }: Attempt): Promise<Buffer> {
    this.#passGate(call.epoch);
    const { redis, replication = NO_REPLICAS } = this.#options;
    const sent = callScript(redis, call.script, scriptCall);
    const reply = (await within(this.#left(deadline), sent)) as Buffer;
    await this.#replicate(replication, mayHaveRun);
    return reply;
  }

  /**
   * WAIT is about the last write of its own connection, and a call that is sent again may write nothing on it: then the
   * lane's key is touched first, which comes after whatever the call wrote.
   */
  async #replicate({ replicas, waitMs }: Replication, isRepeated: boolean): Promise<void> {
    if (replicas === 0) return;
    const { redis } = this.#options;
    if (isRepeated) await redis.expire(laneKey(this.#name), LANE_SECONDS);
    const reached = await redis.wait(replicas, waitMs);
    if (reached < replicas) throw new Error(`${reached} of ${replicas} replicas have it after ${waitMs} ms`);
  }

  /** The reply, if it could be read after all; nothing when the call is to be sent again. Throws what is final. */
  async #afterFailure(attempt: Attempt, error: unknown): Promise<Buffer | null> {
    const verdict = judge(error, attempt.mayHaveRun);
    if (verdict instanceof Error) throw this.#abandon(verdict);
    attempt.mayHaveRun = verdict.mayHaveRun;
    const reply = await this.#recall(attempt, error);
    if (reply) return reply;
    if (this.#left(attempt.deadline) <= PAUSE_BEFORE_AGAIN_MS) {
      const Ending = attempt.mayHaveRun ? OutcomeUnknown : NotAccepting;
      throw this.#abandon(new Ending(describe(error)));
    }
    await pause(PAUSE_BEFORE_AGAIN_MS);
    return null;
  }

  /**
   * Where Redis refuses whatever writes, sending again cannot tell what the first sending did; the lane's key can. That it
   * says nothing proves nothing: the first sending may still be on its way. What replicas must have is told only once they have
   * it, which can be asked for only where Redis takes at least the touch of a key.
   */
  async #recall({ mayHaveRun, deadline }: Attempt, error: unknown): Promise<Buffer | null> {
    if (!mayHaveRun || !isRefusalOfRedis(error) || !areReadsAnswered(error.message)) return null;
    const { redis, replication = NO_REPLICAS } = this.#options;
    const reading = redis.getBuffer(laneKey(this.#name));
    const kept = await within(this.#left(deadline), reading).catch(() => null);
    const colon = kept?.indexOf(COLON) ?? -1;
    if (!kept || Number(kept.subarray(0, colon)) !== this.#sequence) return null;
    const isReplicated = await this.#replicate(replication, true).then(
      () => true,
      () => false,
    );
    return isReplicated ? kept.subarray(colon + 1) : null;
  }

  #left(deadline: number): number {
    return Math.max(0, deadline - this.#options.clock.monotonicMs());
  }

  /** Every attempt, the repeated ones too: Redis may have come back as one that forgot. */
  #passGate(epoch: number): void {
    const current = this.#options.epoch();
    if (current !== epoch) throw new NotAccepting(`the epoch is ${current} now, the call is of ${epoch}`);
  }

  /** A call that was given up may still arrive late, so its sequence must never be used for another one. */
  #abandon(error: Error): Error {
    this.#name = randomUUID();
    this.#sequence = 0;
    return error;
  }
}

/** One call on its way to an answer. */
interface Attempt {
  readonly call: LaneCall;
  readonly scriptCall: ScriptCall;
  /** By the monotonic clock. */
  readonly deadline: number;
  /** Some sending of it may have reached Redis and run. */
  mayHaveRun: boolean;
}

/** What an error means: a final answer (an Error), or whether the call may have run, to be tried again. */
function judge(error: unknown, mayHaveRun: boolean): Error | { mayHaveRun: boolean } {
  if (error instanceof NotAccepting) return mayHaveRun ? { mayHaveRun } : error;
  if (wasNeverSent(error)) return { mayHaveRun };
  if (!isRefusalOfRedis(error)) return { mayHaveRun: true };
  const refusal = sortRefusal(error.message);
  if (refusal === 'mistaken') return new InternalFault(`a script refused its own caller: ${error.message}`);
  if (refusal === 'broken')
    return new InternalFault(`a script broke off, run bootakhae reconcile: ${error.message}`);
  if (refusal === 'passing' || mayHaveRun) return { mayHaveRun };
  return new NotAccepting(describe(error));
}

/** The driver had no connection to send it on. It has no code of its own for that, only this message. */
function wasNeverSent(error: unknown): boolean {
  return error instanceof Error && error.message.includes('enableOfflineQueue options is false');
}

function describe(error: unknown): string {
  return `Redis: ${error instanceof Error ? error.message : String(error)}`;
}
