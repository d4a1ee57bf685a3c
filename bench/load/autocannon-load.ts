import { setTimeout as pause } from 'node:timers/promises';
import autocannon, { type AutocannonClient, type AutocannonRequest } from 'autocannon';
import type { ScenarioOrder } from '../scenarios.ts';
import { buildWorkload } from '../workload.ts';
import type { LoadJob, LoadResult } from './job.ts';
import { Pacer } from './pacer.ts';
import { Tally } from './tally.ts';
import { signTokens } from './tokens.ts';

const ANSWER_WITHIN_SECONDS = 60;
/** autocannon is stopped by us, when every request has its answer; this is only a bound. */
const LONGEST_SECONDS = 600;

/** Where a connection stands in its own orders: its nth answer is that of its nth order, round and round. */
interface ClientState {
  readonly orders: readonly number[];
  answered: number;
}

/** Carries out a job with autocannon. */
export async function runWithAutocannon(job: LoadJob): Promise<LoadResult> {
  const orders = buildWorkload(job.workload, job.connections);
  const tally = new Tally(orders.length);
  const states = new Map<AutocannonClient, ClientState>();
  const clients: AutocannonClient[] = [];
  const requests = buildRequests(orders, job.authSecret);
  const run = autocannon({
    url: job.urls,
    connections: job.connections,
    pipelining: 1,
    duration: LONGEST_SECONDS,
    timeout: ANSWER_WITHIN_SECONDS,
    setupClient(client) {
      const own = ownOrders(orders.length, clients.length, job.connections);
      client.setRequests(own.map((index) => requests[index]!));
      states.set(client, { orders: own, answered: 0 });
      clients.push(client);
    },
  });
  const pacer = job.ratePerSecond === null ? null : new Pacer(clients, job.ratePerSecond, states);
  run.on('response', (client, status, _bytes, milliseconds) => {
    const state = states.get(client)!;
    state.answered += 1;
    const order = state.orders[(state.answered - 1) % state.orders.length]!;
    tally.add(order, status, pacer ? pacer.sinceDue(client) : milliseconds);
  });
  await pause(job.warmUpSeconds * 1_000);
  tally.openWindow();
  await pause(job.seconds * 1_000);
  tally.closeWindow();
  for (const client of clients) client.responseMax = client.reqsMade; // no new request; what is asked is answered
  pacer?.stop();
  const { errors } = await run;
  return tally.result(errors);
}

/** Every connection's own share of the orders. */
function ownOrders(count: number, client: number, connections: number): number[] {
  const size = Math.ceil((count - client) / connections);
  return Array.from({ length: size }, (_, nth) => client + nth * connections);
}

function buildRequests(orders: readonly ScenarioOrder[], secret: string): AutocannonRequest[] {
  const tokens = signTokens(orders, secret);
  return orders.map(({ user, lines }) => ({
    method: 'POST',
    path: '/api/v1/orders',
    headers: { authorization: `Bearer ${tokens.get(user)}`, 'content-type': 'application/json' },
    body: JSON.stringify({ items: lines }),
  }));
}
