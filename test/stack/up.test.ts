import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { identify } from '../../cli/stack/process-identity.ts';
import { startRabbitMQ } from '../../cli/stack/rabbitmq.ts';
import type { RunningServer } from '../../cli/stack/running-server.ts';
import type { PartName, StackDescription } from '../../cli/stack/stack-file.ts';
import { endEveryone, Launched } from './launched.ts';
import { temporaryFolder, until } from './temporary.ts';

const folder = temporaryFolder();
let broker: RunningServer;
let count = 0;

const freshPlace = () => join(folder.path, `data-${++count}`);
/** With a RabbitMQ from outside: a private one takes ten seconds to start. */
const launch = (data = freshPlace(), options = {}, environment = {}) =>
  new Launched(data, options, { AMQP_URL: broker.url, ...environment });
const nothingIsLeftOf = (one: Launched) => until('nothing is left', () => one.left().length === 0, 40_000);

beforeAll(async () => {
  broker = await startRabbitMQ({ dataDirectory: join(folder.path, 'broker') });
}, 120_000);
afterEach(endEveryone, 60_000);
afterAll(async () => {
  await broker.stop();
  folder.remove();
}, 60_000);

describe('stop', () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s ends everything, 0',
    { timeout: 60_000 },
    async (name) => {
      const one = launch();
      await one.up();
      one.signal(name);
      one.signal(name); // npm passes Ctrl-C on a second time
      expect(await one.exited).toBe(0);
      expect(one.left()).toEqual([]);
      expect(one.description()).toBeUndefined();
      expect(existsSync(join(one.data, 'launcher.lock'))).toBe(false);
    },
  );

  test('the next start finds data and secret again', { timeout: 60_000 }, async () => {
    const first = launch();
    const client = new Redis((await first.up()).redis);
    await client.set('kept', '1');
    client.disconnect();
    const secret = readFileSync(join(first.data, 'auth-secret'), 'utf8');
    first.signal('SIGTERM');
    await first.exited;

    const second = launch(first.data);
    const again = new Redis((await second.up()).redis);
    expect(await again.get('kept')).toBe('1');
    again.disconnect();
    expect(readFileSync(join(first.data, 'auth-secret'), 'utf8')).toBe(secret);
    expect(statSync(join(first.data, 'auth-secret')).mode & 0o077).toBe(0);
  });

  test('Ctrl-C while it starts ends it in order', { timeout: 60_000 }, async () => {
    const one = launch();
    await until('it starts', () => one.output.includes('starting mariadb'));
    one.signal('SIGINT');
    expect(await one.exited).toBe(0);
    expect(one.left()).toEqual([]);
  });

  test('a second Ctrl-C forces', { timeout: 60_000 }, async () => {
    const one = launch(freshPlace(), {}, { STAND_IN_IS_STUBBORN: '1' });
    await one.up();
    one.signal('SIGINT');
    const since = Date.now();
    const repeat = setInterval(() => one.signal('SIGINT'), 300);
    expect(await one.exited).toBe(130);
    clearInterval(repeat);
    expect(Date.now() - since).toBeLessThan(10_000);
    await nothingIsLeftOf(one);
  });
});

describe('violence', () => {
  test('SIGKILL of the launcher leaves no orphan', { timeout: 120_000 }, async () => {
    const data = freshPlace();
    const one = new Launched(data);
    const { pids } = await one.up();
    expect(Object.keys(pids).sort()).toEqual(['api', 'mariadb', 'rabbitmq', 'redis', 'scheduler', 'writer']);
    one.signal('SIGKILL');
    await nothingIsLeftOf(one);
    await until('stack.json is gone', () => one.description() === undefined);
  });

  test('a part that dies comes back on its port, and stack.json follows', { timeout: 60_000 }, async () => {
    const one = launch();
    const before = await one.up();
    for (const name of ['redis', 'mariadb', 'api', 'writer', 'scheduler'] as PartName[]) {
      const pid = before.pids[name] as number;
      process.kill(pid, 'SIGKILL');
      const next = await until(`${name} is back`, () => {
        const now = one.description()?.pids[name];
        return now === pid ? undefined : now;
      });
      expect(identify(next)).toBeDefined();
      expect(one.output).toContain(`${name} died (signal SIGKILL)`);
    }
    const { pids: _, ...urls } = one.description()!;
    expect(before).toMatchObject(urls);
    const client = new Redis(before.redis);
    expect(await client.ping()).toBe('PONG');
    client.disconnect();
    await until('the api answers', async () => (await fetch(`${before.api}/readyz`).catch(() => null))?.ok);
  });

  test('a dead watchdog is replaced, and the next one knows everything', { timeout: 60_000 }, async () => {
    const one = launch();
    await one.up();
    const watchdog = await watchdogOf(one);
    process.kill(watchdog, 'SIGKILL');
    await until('there is another', async () => (await watchdogOf(one)) !== watchdog);
    one.signal('SIGKILL');
    await nothingIsLeftOf(one);
  });

  test('launcher and watchdog killed at once: the next start ends what is left', {
    timeout: 60_000,
  }, async () => {
    const one = launch();
    const before = await one.up();
    process.kill(await watchdogOf(one), 'SIGKILL');
    one.signal('SIGKILL');
    await one.exited;
    expect(identify(before.pids.redis as number)).toBeDefined();
    const next = launch(one.data);
    await next.up();
    expect(survivors(before)).toEqual([]);
  });

  test('a start right after a SIGKILL waits for the watchdog', { timeout: 60_000 }, async () => {
    const one = launch();
    const before = await one.up();
    one.signal('SIGKILL');
    const next = launch(one.data);
    await next.up();
    expect(survivors(before)).toEqual([]);
    expect(next.description()).toBeDefined();
  });
});

describe('one data directory', () => {
  test('has one launcher; another directory has another', { timeout: 60_000 }, async () => {
    const one = launch();
    const other = launch();
    const [first, second] = await Promise.all([one.up(), other.up()]);
    expect(first.api).not.toBe(second.api);
    const late = launch(one.data, { fresh: true });
    expect(await late.exited).toBe(1);
    expect(late.output).toContain(`running already (process ${one.pid})`);
    expect(one.left().length).toBeGreaterThan(5);
  });

  test('is forgotten with --fresh', { timeout: 60_000 }, async () => {
    const first = launch();
    const client = new Redis((await first.up()).redis);
    await client.set('kept', '1');
    client.disconnect();
    first.signal('SIGTERM');
    await first.exited;
    writeFileSync(join(first.data, 'mine.txt'), 'not yours');

    const second = launch(first.data, { fresh: true });
    const again = new Redis((await second.up()).redis);
    expect(await again.exists('kept')).toBe(0);
    again.disconnect();
    expect(existsSync(join(first.data, 'mine.txt'))).toBe(true);
  });

  test('is refused when it is somebody else’s', { timeout: 60_000 }, async () => {
    const data = freshPlace();
    mkdirSync(join(data, 'redis'), { recursive: true });
    const one = launch(data, { fresh: true });
    expect(await one.exited).toBe(1);
    expect(one.output).toContain('holds other things');
    expect(existsSync(join(data, 'redis'))).toBe(true);
  });

  test('stack.json is for its owner, and the programs get what they need', { timeout: 60_000 }, async () => {
    const one = launch();
    const description = await one.up();
    expect(statSync(join(one.data, 'stack.json')).mode & 0o777).toBe(0o600);
    expect(description).toMatchObject({ operatorToken: 'token-of-operator', amqp: broker.url });
    expect(description.pids.rabbitmq).toBeUndefined();
    const answer = await fetch(`${description.api}/environment`);
    const environment = (await answer.json()) as Record<string, string>;
    expect(environment).toMatchObject({ REDIS_URL: description.redis, DATABASE_URL: description.database });
    expect(environment.AUTH_SECRET?.length).toBeGreaterThanOrEqual(32);
    expect(one.output).toMatch(/curl .*Bearer token-of-customer.*"22423"/);
  });
});

describe('a start that fails', () => {
  const failing = async (one: Launched) => {
    expect(await one.exited).toBe(1);
    expect(one.left()).toEqual([]);
    return one.output;
  };

  test('names the outside server that does not answer', { timeout: 60_000 }, async () => {
    const output = await failing(launch(freshPlace(), {}, { REDIS_URL: 'redis://:secret@127.0.0.1:1' }));
    expect(output).toMatch(/REDIS_URL is set, but nothing answers at 127\.0\.0\.1:1/);
    expect(output).not.toContain('secret');
  });

  test('names the port that is taken', { timeout: 60_000 }, async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    expect(await failing(launch(freshPlace(), { port }))).toContain(`port ${port} on 127.0.0.1 is taken`);
    server.close();
  });

  test('shows the end of the log of what failed', { timeout: 60_000 }, async () => {
    const output = await failing(launch(freshPlace(), {}, { STAND_IN_FAILS: 'migrate' }));
    expect(output).toMatch(/"migrate" failed \(exit code 1\). The end of .*migrate\.log:\n {2}migrate/);
  });
});

function survivors({ pids }: StackDescription): number[] {
  return Object.values(pids).filter((pid) => identify(pid));
}

async function watchdogOf(one: Launched): Promise<number> {
  return until('the lock names a watchdog', () => {
    const lock = JSON.parse(readFileSync(join(one.data, 'launcher.lock'), 'utf8'));
    return lock.watchdog?.pid as number | undefined;
  });
}
