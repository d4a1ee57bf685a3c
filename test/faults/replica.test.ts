import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startRedis } from '../../cli/stack/redis.ts';
import type { RunningServer } from '../../cli/stack/running-server.ts';
import { createRedisClient, type RedisClient, whenReady } from '../../engine/redis/client.ts';
import { countEntries } from '../../engine/redis/journal-stream.ts';
import { systemClock } from '../../engine/runtime/clock.ts';
import { reconcile } from '../../writer/reconcile/reconcile.ts';
import { call, tokenFor } from '../fixtures/http.ts';
import { runCommand, type StartedProcess, startApi, startProcess } from '../fixtures/processes.ts';
import { useDatabase } from '../fixtures/servers.ts';
import { TcpProxy } from './rig/tcp-proxy.ts';
import { orderAs, Rush } from './rush.ts';

/**
 * A sale with a replica that must have each order before it is acknowledged (REDIS_REPLICAS). The replica is held up; then
 * the master is lost for good and the replica promoted in its place, under load.
 */
const maria = useDatabase();
const PATIENCE = { timeout: 30_000, interval: 20 };
const directory = mkdtempSync(join(tmpdir(), 'bootakhae-replicas-'));
const started: RunningServer[] = [];
const processes: StartedProcess[] = [];
let proxy: TcpProxy;
let environment: { REDIS_URL: string; DATABASE_URL: string };
let api: StartedProcess & { url: string };
let client: RedisClient;

async function startReplicaOf(master: RunningServer): Promise<RunningServer> {
  const replica = await startServer(['--replicaof', '127.0.0.1', String(master.port)]);
  const operator = await connectTo(replica);
  const isUp = async () => (await operator.info('replication')).includes('master_link_status:up');
  await vi.waitUntil(isUp, PATIENCE);
  operator.disconnect();
  return replica;
}

async function startServer(args: string[]): Promise<RunningServer> {
  const dataDirectory = join(directory, String(started.length));
  const server = await startRedis({ dataDirectory, args });
  started.push(server);
  return server;
}

async function connectTo(server: RunningServer): Promise<RedisClient> {
  const connected = createRedisClient(server.url, () => undefined);
  await whenReady(connected, 10_000);
  return connected;
}

let master: RunningServer;
let replica: RunningServer;

beforeAll(async () => {
  master = await startServer([]);
  replica = await startReplicaOf(master);
  proxy = await TcpProxy.start(master.port);
  environment = { REDIS_URL: proxy.inFrontOf(master.url), DATABASE_URL: maria.url };
  const patience = { REDIS_REPLICA_WAIT_MS: '200', DECISION_DEADLINE_MS: '1500' };
  api = await startApi({ ...environment, ...patience, REDIS_REPLICAS: '1' });
  processes.push(api, startProcess(['writer'], environment));
  client = createRedisClient(environment.REDIS_URL, () => undefined);
  for (const sku of ['tea', 'cup']) await put(sku);
});

afterAll(async () => {
  client?.disconnect();
  await Promise.all(processes.map((one) => one.stop()));
  await proxy?.stop();
  for (const server of started.reverse()) await server.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function put(sku: string): Promise<void> {
  const body = { name: sku, price: 5, stock: 100_000_000 };
  const url = `${api.url}/api/v1/products/${sku}`;
  const { status } = await call(url, { method: 'PUT', token: tokenFor('operator', 'operator'), body });
  expect(status).toBe(201);
}

describe('with a replica that must have every order', () => {
  test('P3: nothing is acknowledged that the replica lacks; who asks again is told the truth', async () => {
    process.kill(replica.pid, 'SIGSTOP');
    const held = await orderAs(api.url, 'patient');
    process.kill(replica.pid, 'SIGCONT');
    expect(held).toMatchObject({ status: 504, body: { code: 'outcome_unknown' } });
    const again = await orderAs(api.url, 'patient');
    expect(again).toMatchObject({ status: 201, headers: { 'idempotency-replayed': 'true' } });
  });

  test('P3: a command says no word of what the replica lacks either', async () => {
    process.kill(replica.pid, 'SIGSTOP');
    const needs = { ...environment, REDIS_REPLICAS: '1', REDIS_REPLICA_WAIT_MS: '200' };
    const words = ['stock', 'adjust', 'cup', '1', '--reason', 'found', '--id', 'found', '--data', directory];
    const held = await runCommand(words, needs);
    process.kill(replica.pid, 'SIGCONT');
    expect([held.code, held.stderr]).toEqual([1, expect.stringMatching(/whether it was done is not known/)]);
    const again = await runCommand(words, needs);
    expect([again.code, again.stdout]).toEqual([
      0,
      expect.stringMatching(/nothing changed, this --id was used/),
    ]);
  });

  test('P3, P6: the master is lost and the replica promoted under load: nothing acknowledged is missing', async () => {
    const rush = new Rush(api.url);
    await rush.until(201, 200);
    master.kill('SIGKILL');
    await master.exited;
    const promoted = await connectTo(replica);
    await promoted.call('REPLICAOF', 'NO', 'ONE');
    promoted.disconnect();
    proxy.redirect(replica.port);
    await api.waitForLog(({ reasons }) => /0 replicas, REDIS_REPLICAS asks for 1/.test(String(reasons)));
    await startReplicaOf(replica);
    await rush.until(201, 200);
    const told = await rush.stop();

    await vi.waitUntil(async () => (await countEntries(client).catch(() => 1)) === 0, PATIENCE);
    const kept = await maria.database.query.selectFrom('orders').select(['id', 'user_id']).execute();
    const idOf = new Map(kept.map(({ id, user_id }) => [user_id, id]));
    for (const { user, status, id } of told)
      if (status === 201) expect({ user, id: idOf.get(user) }).toEqual({ user, id });
    expect(new Set(kept.map(({ user_id }) => user_id)).size, 'nobody has two orders').toBe(kept.length);
    const options = { redis: client, database: maria.database, clock: systemClock };
    expect(await reconcile(options)).toMatchObject({ drifts: [] });
  });
});
