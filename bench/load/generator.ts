import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import autocannon, { type AutocannonClient, type AutocannonRequest } from 'autocannon';
import { signToken } from '../../engine/token/token.ts';
import { buildOrders, type ScenarioOrder } from '../scenarios.ts';
import type { LoadJob, LoadResult } from './job.ts';
import { Pacer } from './pacer.ts';
import { Tally } from './tally.ts';

/**
 * The load generator, a process of its own so that its CPU time can be told from the others': reads a job, sends
 * orders with one request in flight a connection, writes what it measured.
 *
 *     node dist/bench/load/generator.js JOB.json RESULT.json
 */
const TOKEN_MS = 3_600_000;
const ANSWER_WITHIN_SECONDS = 60;
/** autocannon is stopped by us, when every request has its answer; this is only a bound. */
const LONGEST_SECONDS = 600;

const [jobFile = '', resultFile = ''] = process.argv.slice(2);
writeFileSync(resultFile, JSON.stringify(await runJob(JSON.parse(readFileSync(jobFile, 'utf8')) as LoadJob)));

async function runJob(job: LoadJob): Promise<LoadResult> {
  const orders = buildOrders(job.scenario, job.connections);
  const tally = new Tally(orders.length);
  const clients: AutocannonClient[] = [];
  const requests = buildRequests(orders, job.authSecret);
  const run = autocannon({
    url: job.url,
    connections: job.connections,
    pipelining: 1,
    duration: LONGEST_SECONDS,
    timeout: ANSWER_WITHIN_SECONDS,
    setupClient(client) {
      const own = ownOrders(orders.length, clients.length, job.connections);
      client.setRequests(own.map((index) => requests[index]!));
      tally.clients.set(client, { orders: own, answered: 0 });
      clients.push(client);
    },
  });
  const pacer = job.ratePerSecond === null ? null : new Pacer(clients, job.ratePerSecond, tally.clients);
  run.on('response', (client, status, _bytes, milliseconds) => {
    const state = tally.clients.get(client)!;
    state.answered += 1;
    tally.add(state, status, pacer ? pacer.sinceDue(client) : milliseconds);
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
  const tokens = new Map<string, string>();
  for (const { user } of orders) {
    if (!tokens.has(user)) tokens.set(user, signToken(secret, { user, role: 'customer' }, TOKEN_MS));
  }
  return orders.map(({ user, lines }) => ({
    method: 'POST',
    path: '/api/v1/orders',
    headers: { authorization: `Bearer ${tokens.get(user)}`, 'content-type': 'application/json' },
    body: JSON.stringify({ items: lines }),
  }));
}
