import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { OwnedProcess } from '../../cli/stack/owned-process.ts';
import { startRedis } from '../../cli/stack/redis.ts';
import type { RunningServer } from '../../cli/stack/running-server.ts';
import { createRedisClient, whenReady } from '../../engine/redis/client.ts';
import { packageRoot } from '../../engine/runtime/package-root.ts';
import { signToken } from '../../engine/token/token.ts';
import { type ContestantPlan, startContestant, startWriter } from '../ground/contestant.ts';
import { fillEngine } from '../ground/fresh-stock.ts';
import { type Ground, openGround } from '../ground/ground.ts';
import { keepOrders } from '../growth/kept-orders.ts';
import { describeCommit, describeMachine } from '../machine.ts';
import { madeUpProducts } from '../made-up-shop.ts';
import { untilDrained } from '../measure/backlog.ts';

/**
 * How long a shop is closed that loses all of Redis's data, with so many orders in MariaDB: Redis is killed, its data
 * deleted, and started again empty, with an api and a writer running. And what it takes to prove afterwards that all
 * agree. `npm run bench:recovery -- --orders 1000000`.
 */
const SHOP = { products: 2_000, lines: 3 };
const UNITS = 100_000_000;
const ORDERS_OF_CALL = 256;
const DAY_MS = 86_400_000;
/** Of each hundred orders: held ones, and those with an idempotency key. */
const HELD_PERCENT = 10;
const KEYED_PERCENT = 40;
const POLL_MS = 10;
const GIVE_UP_MS = 300_000;

const { values } = parseArgs({
  options: { orders: { type: 'string', default: '1000000' }, data: { type: 'string', default: tmpdir() } },
});
const orders = Number(values.orders);
if (!/^[1-9]\d{0,7}$/.test(values.orders)) throw new Error(`--orders is wrong: "${values.orders}"`);

const ground = await openGround(values.data);
try {
  process.stdout.write(`${JSON.stringify(await measureRecovery(ground), null, 1)}\n`);
} finally {
  await ground.close();
}

async function measureRecovery(ground: Ground) {
  const directory = mkdtempSync(join(ground.directory, 'redis-'));
  let redis = await startRedis({ dataDirectory: directory });
  const started: OwnedProcess[] = [];
  try {
    const plan = { ground, redisUrl: redis.url, environment: {}, profiles: null };
    const fillSeconds = await timed(() => fill(plan, started));
    const api = await startContestant('engine', plan);
    started.push(api.process);
    const lostAt = performance.now();
    redis = await startEmpty(redis, directory);
    const emptyAt = performance.now();
    await untilOrdered(api.url, ground.authSecret);
    const orderedAt = performance.now();
    return {
      ...{ commit: describeCommit(), machine: describeMachine(values.data), orders, fillSeconds },
      secondsFromEmptyRedisToOrder: seconds(orderedAt - emptyAt),
      secondsFromKillToOrder: seconds(orderedAt - lostAt),
      reconcile: await reconcile(plan),
    };
  } finally {
    await Promise.all(started.map((owned) => owned.stop()));
    await redis.stop();
  }
}

async function fill(plan: ContestantPlan, started: OwnedProcess[]): Promise<void> {
  const client = createRedisClient(plan.redisUrl, () => undefined);
  await whenReady(client, GIVE_UP_MS);
  const servers = { redis: client, database: plan.ground.database, appendfsync: 'always' } as const;
  await fillEngine(servers, madeUpProducts(SHOP, UNITS));
  const writer = await startWriter(plan);
  started.push(writer.process);
  const keep = (percent: number, keyed: boolean, holdMs: number) => {
    const count = Math.round((orders * percent) / 100);
    return keepOrders(servers, { shop: SHOP, count, keyed, holdMs, ordersOfCall: ORDERS_OF_CALL });
  };
  await keep(KEYED_PERCENT, true, 0);
  await keep(HELD_PERCENT, false, DAY_MS);
  await keep(100 - KEYED_PERCENT - HELD_PERCENT, false, 0);
  await untilDrained(client);
  client.disconnect();
}

async function startEmpty(redis: RunningServer, directory: string): Promise<RunningServer> {
  redis.kill('SIGKILL');
  await redis.exited;
  rmSync(directory, { recursive: true });
  return await startRedis({ dataDirectory: directory, port: redis.port });
}

async function untilOrdered(url: string, authSecret: string): Promise<void> {
  const token = signToken(authSecret, { user: 'somebody', role: 'customer' }, 3_600_000);
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const [product] = madeUpProducts(SHOP, UNITS);
  const body = JSON.stringify({ items: [{ sku: product!.sku, quantity: 1 }] });
  for (const deadline = performance.now() + GIVE_UP_MS; performance.now() < deadline; await pause(POLL_MS)) {
    const { status } = await fetch(`${url}/api/v1/orders`, { method: 'POST', headers, body });
    if (status === 201) return;
    if (status < 500) throw new Error(`an order was answered with ${status}`);
  }
  throw new Error(`no order was accepted within ${GIVE_UP_MS / 1_000} s`);
}

/** As an operator runs it, with the most memory that it ever had. */
async function reconcile({ ground, redisUrl }: ContestantPlan) {
  const child = spawn(process.execPath, [`${packageRoot}/dist/cli/main.js`, 'reconcile', '--json'], {
    env: { ...process.env, REDIS_URL: redisUrl, DATABASE_URL: ground.mariadb.url },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let [output, megabytes] = ['', 0];
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  const timer = setInterval(() => {
    megabytes = Math.max(megabytes, highestResidentMegabytes(child.pid!));
  }, POLL_MS);
  const took = await timed(() => once(child, 'close'));
  clearInterval(timer);
  const { consistent, levels, orders: compared, drifts } = JSON.parse(output);
  return { seconds: took, megabytes, consistent, levels, orders: compared, drifts: drifts.length };
}

function highestResidentMegabytes(pid: number): number {
  try {
    return Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1_024;
  } catch {
    return 0; // it has just ended
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return seconds(performance.now() - startMs);
}

function seconds(ms: number): number {
  return Math.round(ms) / 1_000;
}
