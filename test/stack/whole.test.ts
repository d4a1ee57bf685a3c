import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { connect } from 'amqplib';
import { afterAll, expect, test } from 'vitest';
import { type RunningStack, startStack } from '../../cli/stack/stack.ts';
import { orderLine } from '../../cli/stack/up.ts';
import { listenersOf } from './process-table.ts';
import { temporaryFolder, until } from './temporary.ts';

const folder = temporaryFolder();
let stack: RunningStack | undefined;

afterAll(async () => {
  await stack?.stop();
  folder.remove();
}, 60_000);

test('the printed line places an order, and nothing listens beyond loopback', {
  timeout: 120_000,
}, async () => {
  stack = await startStack({ dataDirectory: folder.path, port: 0 });
  const line = `${orderLine(stack)} -w '\n%{http_code}'`;
  const { stdout } = await promisify(execFile)('sh', ['-c', line]);
  const [order, status] = stdout.trim().split('\n') as [string, string];
  expect(status).toBe('201');
  expect(JSON.parse(order)).toMatchObject({ items: [{ sku: '22423', quantity: 1 }] });

  const answer = await fetch(`${stack.api}/api/v1/orders/${JSON.parse(order).id}`, {
    headers: { authorization: `Bearer ${stack.operatorToken}` },
  });
  expect(answer.status).toBe(200);

  const { items: events } = (await (await fetch(`${stack.api}/api/v1/events`)).json()) as {
    items: { startsAt: string; status: string; repeat: object | null }[];
  };
  expect(events).toMatchObject([{ status: 'scheduled', repeat: { durationMinutes: 5 } }]);
  expect(Date.parse(events[0]!.startsAt) - Date.now()).toBeLessThanOrEqual(61_000);

  const addresses = listenersOf(Object.values(stack.pids()));
  expect(addresses.length).toBeGreaterThanOrEqual(5); // RabbitMQ has two
  expect(addresses.filter((address) => address !== '127.0.0.1' && address !== '::1')).toEqual([]);
});

test('the scheduler has declared the exchanges and queues that outsiders rely on', async () => {
  const connection = await connect(stack!.amqp);
  const channel = await connection.createChannel();
  for (const exchange of ['bootakhae', 'bootakhae.dead']) await channel.checkExchange(exchange);
  channel.publish('bootakhae', 'stock.recover', Buffer.from('{}')); // consumed, and it cannot be handled
  channel.publish('bootakhae.dead', 'whatever', Buffer.from('{}'));
  const depth = async (queue: string) => (await channel.checkQueue(queue)).messageCount;
  await until('both are dead letters', async () => (await depth('bootakhae.dead-letters')) === 2);
  for (const queue of ['bootakhae.stock-recovery', 'bootakhae.events']) expect(await depth(queue)).toBe(0);
  await connection.close();
});
