import { setTimeout as pause } from 'node:timers/promises';
import type { ScenarioOrder } from '../scenarios.ts';
import { buildWorkload } from '../workload.ts';
import { FreeConnections } from './free-connections.ts';
import type { LoadJob, LoadResult } from './job.ts';
import { PlainConnection } from './plain-connection.ts';
import { Tally } from './tally.ts';
import { signTokens } from './tokens.ts';

const TICK_MS = 1;
const WATCH_MS = 20;
/** After the window: what has no answer by then never gets one. */
const LAST_ANSWER_WITHIN_MS = 30_000;

/** Carries out a job with connections of our own, which cost less than autocannon's. */
export async function runPlainly(job: LoadJob): Promise<LoadResult> {
  const orders = buildWorkload(job.workload, job.connections);
  const tally = new Tally(orders.length);
  const load = new PlainLoad(job, buildRequests(orders, job.authSecret), tally);
  await pause(job.warmUpSeconds * 1_000);
  tally.openWindow();
  await pause(job.seconds * 1_000);
  tally.closeWindow();
  return tally.result(await load.stop());
}

interface InFlight {
  readonly order: number;
  /** When it was due, on the monotonic clock. */
  readonly due: number;
}

/**
 * At a fixed rate (an open loop): a request falls due at its instant whether the server keeps up or not. A free
 * connection sends it; where none is free it is counted as not offered, so that a rate that was never reached cannot
 * pass for one that was. Its latency counts from when it was due.
 *
 * Without a rate (a closed loop): a connection sends again as soon as it has its answer.
 */
class PlainLoad {
  readonly #requests: readonly Buffer[];
  readonly #tally: Tally;
  readonly #ratePerSecond: number | null;
  readonly #connections: readonly PlainConnection[];
  readonly #free: FreeConnections;
  readonly #inFlight = new Map<PlainConnection, InFlight>();
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout | null;
  #sent = 0;
  #due = 0;
  #errors = 0;
  #stopped = false;

  constructor(job: LoadJob, requests: readonly Buffer[], tally: Tally) {
    this.#requests = requests;
    this.#tally = tally;
    this.#ratePerSecond = job.ratePerSecond;
    this.#free = new FreeConnections(job.connections);
    const events = {
      free: (connection: PlainConnection) => this.#use(connection),
      answered: (connection: PlainConnection, status: number) => this.#answered(connection, status),
      broken: (connection: PlainConnection) => this.#broken(connection),
    };
    this.#connections = Array.from(
      { length: job.connections },
      (_, at) => new PlainConnection(job.urls[at % job.urls.length]!, events),
    );
    this.#timer = job.ratePerSecond === null ? null : setInterval(() => this.#tick(), TICK_MS);
  }

  /** Sends no more; resolves, when what was sent has its answer, to how many requests never got one. */
  async stop(): Promise<number> {
    this.#stopped = true;
    if (this.#timer) clearInterval(this.#timer);
    const deadline = performance.now() + LAST_ANSWER_WITHIN_MS;
    while (this.#inFlight.size > 0 && performance.now() < deadline) await pause(WATCH_MS);
    for (const connection of this.#connections) connection.close();
    return this.#errors + this.#inFlight.size;
  }

  #tick(): void {
    const intervalMs = 1_000 / this.#ratePerSecond!;
    for (const now = performance.now(); ; this.#due += 1) {
      const due = this.#startedAt + this.#due * intervalMs;
      if (due > now) return;
      const connection = this.#free.take();
      if (connection) this.#send(connection, due);
      else this.#tally.addNotOffered();
    }
  }

  #use(connection: PlainConnection): void {
    if (this.#stopped) return;
    if (this.#ratePerSecond === null) this.#send(connection, performance.now());
    else this.#free.put(connection);
  }

  #send(connection: PlainConnection, due: number): void {
    const order = this.#sent++ % this.#requests.length;
    this.#inFlight.set(connection, { order, due });
    connection.send(this.#requests[order]!);
  }

  #answered(connection: PlainConnection, status: number): void {
    const { order, due } = this.#inFlight.get(connection)!;
    this.#inFlight.delete(connection);
    this.#tally.add(order, status, performance.now() - due);
    this.#use(connection);
  }

  #broken(connection: PlainConnection): void {
    this.#inFlight.delete(connection);
    this.#errors += 1;
  }
}

function buildRequests(orders: readonly ScenarioOrder[], secret: string): Buffer[] {
  const tokens = signTokens(orders, secret);
  return orders.map(({ user, lines }) => {
    const body = JSON.stringify({ items: lines });
    const head = [
      'POST /api/v1/orders HTTP/1.1',
      'Host: localhost',
      `Authorization: Bearer ${tokens.get(user)}`,
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
    ];
    return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
  });
}
