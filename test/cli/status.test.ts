import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Status } from '../../cli/status/status.ts';
import { useOwnDatabase } from '../fixtures/own-database.ts';
import { runCommand, type StartedProcess, startApi } from '../fixtures/processes.ts';
import { RunningApi } from '../fixtures/running-api.ts';
import { useRedis } from '../fixtures/servers.ts';

const maria = useOwnDatabase();
const redis = useRedis();
const api = new RunningApi(redis, maria);
let writer: StartedProcess;
const NO_STACK = ['--data', 'test/no-stack-here'];

async function status(environment: NodeJS.ProcessEnv = {}): Promise<{ code: number | null; told: Status }> {
  const { code, stdout, stderr } = await runCommand(['status', '--json', ...NO_STACK], {
    ...api.environment,
    ...environment,
  });
  expect(stderr).toBe('');
  return { code, told: JSON.parse(stdout) as Status };
}

async function untilHealthy(isRight: (told: Status) => boolean = () => true): Promise<Status> {
  return await vi.waitUntil(
    async () => {
      const { code, told } = await status();
      return code === 0 && isRight(told) && told;
    },
    { timeout: 30_000 },
  );
}

beforeAll(async () => {
  const started = api.keep(await startApi(api.environment));
  api.process = started;
  api.url = started.url;
  writer = api.start(['writer']);
});

afterAll(() => api.killLeftovers());

test('all is well: exit code 0, each server and each process', async () => {
  await api.put('tea', { stock: 9 });
  const told = await untilHealthy(({ processes }) => processes[1]?.report.drain?.lagEntries === 0);
  expect(told.problems).toEqual([]);
  expect(told.servers).toEqual([
    {
      name: 'Redis',
      reachable: true,
      ms: expect.any(Number),
      version: expect.stringMatching(/^\d/),
      error: null,
    },
    {
      name: 'MariaDB',
      reachable: true,
      ms: expect.any(Number),
      version: expect.stringMatching(/MariaDB/),
      error: null,
    },
  ]);
  const [first, second] = told.processes;
  expect(first).toMatchObject({
    kind: 'api',
    pid: api.process.child.pid,
    alive: true,
    url: api.url,
    report: {
      gate: { reasons: [], epoch: 1 },
      backlog: { boundBytes: expect.any(Number) },
      breakers: { redis: 'closed', mariadb: 'closed' },
    },
  });
  expect(second).toMatchObject({
    kind: 'writer',
    alive: true,
    report: { drain: { hasLease: true, lagEntries: 0 } },
  });
  expect(told).toMatchObject({ deadLettersWaiting: 0, lastRecovery: null, lastReconciliation: null });
});

test('people read it as a table', async () => {
  await untilHealthy();
  const { code, stdout } = await runCommand(['status', ...NO_STACK], api.environment);
  expect([code, stdout]).toEqual([
    0,
    expect.stringMatching(/Redis +yes .*\napi +\d+ .* open, epoch 1 .*\nwriter .*all is well\n$/s),
  ]);
});

test('the last reconciliation is told', async () => {
  await runCommand(['reconcile', ...NO_STACK], api.environment);
  const { told } = await status();
  expect(told.lastReconciliation).toMatchObject({ consistent: true, drifts: 0 });
});

test('RabbitMQ away is said', async () => {
  const { code, told } = await status({ AMQP_URL: 'amqp://127.0.0.1:1' });
  expect(code).toBe(1);
  expect(told.problems).toEqual([
    expect.stringMatching(/^RabbitMQ does not answer: /),
    'no scheduler is alive',
  ]);
});

describe('MariaDB away', () => {
  afterEach(async () => {
    await maria.start();
    await untilHealthy();
  });

  test('the processes are told all the same, and what they miss', async () => {
    await untilHealthy();
    await maria.stop();
    const { told } = await vi.waitUntil(
      async () => {
        const seen = await status();
        return seen.told.problems.some((problem) => /^writer \d+ applies nothing: /.test(problem)) && seen;
      },
      { timeout: 30_000 },
    );
    expect(told.problems).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^MariaDB does not answer: /),
        expect.stringMatching(/^api \d+ does not reach mariadb$/),
      ]),
    );
    expect(told.processes.filter(({ alive }) => alive).map(({ kind }) => kind)).toEqual(['api', 'writer']);
    expect(told.processes[0]!.report.gate?.reasons).toEqual([]);
    expect(told.deadLettersWaiting).toBeNull();
  });
});

test('Redis away: told from what MariaDB knows', async () => {
  const { code, told } = await status({ REDIS_URL: 'redis://127.0.0.1:1' });
  expect(code).toBe(1);
  expect(told.problems).toEqual([expect.stringMatching(/^Redis does not answer: /)]);
  expect(told.processes.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['api', 'writer']));
});

test('a process that died is missed, one that ended in order is no news', async () => {
  await untilHealthy();
  const another = api.start(['writer']);
  await vi.waitUntil(async () => (await status()).told.processes.filter(({ alive }) => alive).length === 3, {
    timeout: 20_000,
  });
  expect(await another.stop()).toBe(0);
  await untilHealthy();
  await writer.stop('SIGKILL');
  const { told } = await vi.waitUntil(
    async () => {
      const seen = await status();
      return seen.told.problems.includes('no writer is alive') && seen;
    },
    { timeout: 20_000 },
  );
  expect(told.processes.find(({ pid }) => pid === writer.child.pid)).toMatchObject({
    alive: false,
    isStopped: false,
  });
  expect(told.processes.find(({ pid }) => pid === another.child.pid)).toMatchObject({
    alive: false,
    isStopped: true,
  });
});
