import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import amqplib from 'amqplib';
import { Redis } from 'ioredis';
import { createConnection } from 'mariadb';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { startMariaDB } from '../../cli/stack/mariadb.ts';
import { isPortFree } from '../../cli/stack/ports.ts';
import { startRabbitMQ } from '../../cli/stack/rabbitmq.ts';
import { startRedis } from '../../cli/stack/redis.ts';
import type { RunningServer } from '../../cli/stack/running-server.ts';
import { markOfOurs } from '../../cli/stack/watchdog.ts';
import { processesWith } from './process-table.ts';
import { temporaryFolder, until } from './temporary.ts';

const folder = temporaryFolder();
const running: RunningServer[] = [];
const keep = (server: RunningServer) => {
  running.push(server);
  return server;
};

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
});
afterAll(() => folder.remove());

describe('a private Redis', () => {
  test('is durable, refuses rather than forgets, listens on loopback only', { timeout: 20_000 }, async () => {
    const server = keep(await startRedis({ dataDirectory: join(folder.path, 'redis') }));
    const client = new Redis(server.url);
    const settings = await client.config('GET', 'append*', 'maxmemory-policy', 'bind');
    expect(settings).toEqual(expect.arrayContaining(['appendonly', 'yes', 'appendfsync', 'always']));
    expect(settings).toEqual(expect.arrayContaining(['noeviction', '127.0.0.1']));
    await client.set('kept', '1');
    client.disconnect();

    await server.stop();
    expect(await isPortFree(server.port)).toBe(true);

    const again = keep(await startRedis({ dataDirectory: join(folder.path, 'redis') }));
    const second = new Redis(again.url);
    expect(await second.get('kept')).toBe('1');
    second.disconnect();
  });

  test('says what its log says when it cannot start', { timeout: 20_000 }, async () => {
    const dataDirectory = join(folder.path, 'redis-wrong');
    const start = startRedis({ dataDirectory, args: ['--no-such-setting', '1'] });
    await expect(start).rejects.toThrow(/redis did not come up: it ended with exit code 1.*no-such-setting/s);
  });

  test('kill and exited tell of a violent end', { timeout: 20_000 }, async () => {
    const server = await startRedis({ dataDirectory: join(folder.path, 'redis-killed') });
    server.kill('SIGKILL');
    expect(await server.exited).toEqual({ code: null, signal: 'SIGKILL' });
    await server.stop();
  });
});

describe('a private MariaDB', () => {
  // Longer than a unix socket's path may be.
  const dataDirectory = join(folder.path, 'a'.repeat(120), 'mariadb');

  test('starts under a path with spaces and quotes, and keeps its temporary files to itself', {
    timeout: 60_000,
  }, async () => {
    const dataDirectory = join(folder.path, "my 'shop' é", 'mariadb');
    const server = keep(await startMariaDB({ dataDirectory }));
    const connection = await createConnection(server.url);
    const [row] = await connection.query('select @@tmpdir as tmpdir');
    await connection.end();
    expect(row.tmpdir).toBe(join(dataDirectory, 'temporary'));
  });

  test('finds its data again, after an interrupted installation too', { timeout: 60_000 }, async () => {
    mkdirSync(join(dataDirectory, 'files.installing'), { recursive: true });
    writeFileSync(join(dataDirectory, 'files.installing', 'half'), '');
    const first = keep(await startMariaDB({ dataDirectory }));
    const before = await createConnection(first.url);
    await before.query('CREATE TABLE kept (n INT)');
    await before.query('CREATE DATABASE bootakhae_test');
    await before.end();
    await first.stop();

    const second = keep(await startMariaDB({ dataDirectory }));
    const after = await createConnection(second.url);
    const rows = await after.query('SHOW TABLES');
    expect(JSON.stringify(rows)).toContain('kept');
    const settings = await after.query('SELECT @@collation_database c, @@innodb_flush_log_at_trx_commit f');
    expect(settings[0]).toMatchObject({ c: 'utf8mb4_bin' });
    expect(Number(settings[0].f)).toBe(1);
    await after.end();
    expect(statSync(join(dataDirectory, 'password')).mode & 0o077).toBe(0);
    expect(existsSync(join(dataDirectory, 'files.installing'))).toBe(false);
  });
});

describe('a private RabbitMQ', () => {
  test('keeps durable queues, and takes its epmd with it', { timeout: 120_000 }, async () => {
    const dataDirectory = join(folder.path, 'rabbitmq');
    const first = keep(await startRabbitMQ({ dataDirectory }));
    const before = await amqplib.connect(first.url);
    await (await before.createChannel()).assertQueue('kept', { durable: true });
    await before.close();
    expect(readFileSync(`/proc/${first.pid}/comm`, 'utf8').trim()).toBe('beam.smp');
    await first.stop();
    expect(left()).toEqual([]);

    const second = keep(await startRabbitMQ({ dataDirectory }));
    const after = await amqplib.connect(second.url);
    await (await after.createChannel()).checkQueue('kept');
    await after.close();
    second.kill('SIGKILL');
    await second.exited;
    await until('nothing is left of it', () => left().length === 0);
  });
});

/** Every process that this test process has started so far and that still lives. */
const left = () => processesWith(markOfOurs(), folder.path).map((row) => row.command);
