import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GetMessage } from 'amqplib';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { connectBroker } from '../../engine/broker/broker.ts';
import {
  DEAD_LETTER_EXCHANGE,
  DEAD_LETTER_QUEUE,
  EXCHANGE,
  STOCK_RECOVERY_QUEUE,
} from '../../engine/broker/topology.ts';
import { keptLog } from '../fixtures/kept-log.ts';
import { runCommand } from '../fixtures/processes.ts';
import { Outsider, useRabbitMQ } from '../fixtures/rabbitmq.ts';

/** What a person does about messages that nobody could handle, with a real RabbitMQ. */
const rabbitmq = useRabbitMQ();
const WAIT = { timeout: 30_000 };
const BODY = '{"orderId":"0001ZZZZZZZZZ000","reason":"깨졌다 🍵"}';
/** What the queue itself says of a message that was never delivered. */
const FRESH = { 'x-delivery-count': 0 };
let directory = '';
let outsider: Outsider;

const run = (words: string[], environment: NodeJS.ProcessEnv = { AMQP_URL: rabbitmq.url }) =>
  runCommand(['dead-messages', ...words, '--data', directory], environment);

/** With an output on which nothing can be written. */
async function runUnread(words: string[]) {
  const full = openSync('/dev/full', 'w');
  try {
    return await runCommand(
      ['dead-messages', ...words, '--data', directory],
      { AMQP_URL: rabbitmq.url },
      full,
    );
  } finally {
    closeSync(full);
  }
}

const list = async (...words: string[]) => JSON.parse((await run(['list', '--json', ...words])).stdout);

/** Of a shop of which RabbitMQ alone answers. */
async function status(...words: string[]): Promise<string> {
  const environment = {
    ...{ AMQP_URL: rabbitmq.url, REDIS_URL: 'redis://127.0.0.1:1' },
    DATABASE_URL: 'mariadb://nobody@127.0.0.1:1/nothing',
  };
  return (await runCommand(['status', ...words, '--data', directory], environment)).stdout;
}
const statusJson = async () => JSON.parse(await status('--json'));

const DIED_AT = '2027-01-31T05:00:00.000Z';

/** Puts one among the dead letters as a consumer does, and waits until it lies there. */
async function die(id: string | null, { key = 'stock.recover', body = BODY as Buffer | string } = {}) {
  const before = await outsider.depth(DEAD_LETTER_QUEUE);
  outsider.send(DEAD_LETTER_EXCHANGE, key, body, {
    ...(id !== null && { messageId: id }),
    contentType: 'application/json',
    headers: {
      ...{ 'x-reason': `no order of ${id}`, 'x-original-queue': STOCK_RECOVERY_QUEUE, 'x-died-at': DIED_AT },
      trace: 'kept',
    },
  });
  await untilDead(before + 1);
}

const untilDead = (count: number) =>
  vi.waitUntil(async () => (await outsider.depth(DEAD_LETTER_QUEUE)) === count, WAIT);

async function declareTopology(): Promise<void> {
  const broker = connectBroker({ url: rabbitmq.url, kind: 'test', logger: keptLog().logger });
  await vi.waitUntil(() => broker.isConnected, WAIT);
  await broker.close();
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bootakhae-cli-'));
  outsider = await Outsider.of(rabbitmq);
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

test.each([['list'], ['requeue', '--all'], ['drop', '--all', '--reason', 'r']])(
  '%s: where no process has ever run nothing was ever dead',
  async (...words) => {
    expect(await run(words)).toEqual({ code: 0, stdout: 'no dead messages\n', stderr: '' });
  },
);

describe('with dead messages', () => {
  beforeEach(async () => {
    await declareTopology();
    await outsider.emptyQueues();
  });

  test('list shows why, in which queue and what, and leaves them there', async () => {
    await die('first');
    await die('second', { body: `a\u001b[2J${'x'.repeat(1_000)}` });
    await die(null, { key: 'no.such\nkey', body: Buffer.from([0xff, 0xfe]) });
    const { messages, waiting } = await list();
    expect(waiting).toBe(3);
    expect(messages).toEqual([
      {
        ...{ id: 'first', messageId: 'first', digest: expect.stringMatching(/^body:[0-9a-f]{12}$/) },
        ...{ routingKey: 'stock.recover', queue: STOCK_RECOVERY_QUEUE, reason: 'no order of first' },
        ...{ diedAt: DIED_AT, bytes: Buffer.byteLength(BODY), body: BODY, encoding: 'utf-8' },
      },
      expect.objectContaining({ id: 'second', bytes: 1_005 }),
      expect.objectContaining({ id: messages[2].digest, messageId: null, body: '//4=', encoding: 'base64' }),
    ]);
    await untilDead(3);
    const { code, stdout } = await run(['list', '--limit', '2']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^ID +ROUTING KEY .*\nfirst +stock\.recover +bootakhae\.stock-recovery +\S+Z +\d+ +no order of first +\{"orderId.*🍵"\}\nsecond .* a\\u\{1b\}\[2Jx+…\n3 wait, 2 are shown\n$/,
    );
    await untilDead(3);
    const [first, second, third] = messages;
    expect((await list()).messages).toEqual([third, first, second]); // behind what was not looked at
  });

  test('list tells of what RabbitMQ gave up at the delivery limit, and when', async () => {
    outsider.send(EXCHANGE, 'stock.recover', BODY, { messageId: 'tried' });
    await vi.waitUntil(
      async () => {
        const message = await outsider.channel.get(STOCK_RECOVERY_QUEUE);
        if (message) outsider.channel.nack(message, false, true);
        return (await outsider.depth(DEAD_LETTER_QUEUE)) === 1;
      },
      { ...WAIT, interval: 5 },
    );
    const { messages } = await list();
    expect(messages).toEqual([
      expect.objectContaining({ queue: STOCK_RECOVERY_QUEUE, reason: 'delivery_limit', body: BODY }),
    ]);
    expect(Math.abs(Date.parse(messages[0].diedAt) - Date.now())).toBeLessThan(60_000);
    expect((await run(['requeue', 'tried'])).code).toBe(0);
    const [again] = await outsider.takeAll(STOCK_RECOVERY_QUEUE);
    expect(again!.properties.messageId).toBe('tried');
    expect(again!.properties.headers).toEqual(FRESH);
  });

  test('requeue: it is in its queue as it was, and no dead letter any more', async () => {
    await die('first');
    await die('second');
    expect(await run(['requeue', 'second'])).toEqual({ code: 0, stdout: 'second  requeued\n', stderr: '' });
    const [message, ...others] = await outsider.takeAll(STOCK_RECOVERY_QUEUE);
    expect(others).toEqual([]);
    expect(message!.content.toString()).toBe(BODY);
    expect(message!.fields).toMatchObject({ exchange: EXCHANGE, routingKey: 'stock.recover' });
    const { messageId, headers, deliveryMode, contentType } = message!.properties;
    expect({ messageId, headers, deliveryMode, contentType }).toEqual({
      ...{
        messageId: 'second',
        headers: { ...FRESH, trace: 'kept' },
        deliveryMode: 2,
        contentType: 'application/json',
      },
    });
    await untilDead(1);
    expect((await list()).messages).toMatchObject([{ id: 'first' }]);
  });

  test('requeue: what no queue takes stays, and its neighbours go', async () => {
    await die('lost', { key: 'no.queue' });
    await die('found');
    const { code, stdout, stderr } = await run(['requeue', '--all']);
    expect([code, stdout]).toEqual([
      1,
      'lost  stays: no queue takes "no.queue" from exchange "bootakhae"\nfound  requeued\n',
    ]);
    expect(stderr).toBe('bootakhae: 1 stay as they are\n');
    await untilDead(1);
    expect(await outsider.depth(STOCK_RECOVERY_QUEUE)).toBe(1);
    expect((await list()).messages).toMatchObject([{ id: 'lost', reason: 'no order of lost' }]);
  });

  test('requeue --all: those that die again meanwhile are left for another time', async () => {
    await die('hopeless');
    await die('hopeless too');
    const { consumerTag } = await outsider.channel.consume(STOCK_RECOVERY_QUEUE, (message) => {
      const { messageId } = message!.properties;
      outsider.send(DEAD_LETTER_EXCHANGE, 'stock.recover', message!.content, { messageId });
      outsider.channel.ack(message!);
    });
    expect((await run(['requeue', '--all'])).stdout).toMatch(
      /^hopeless {2}requeued\nbody:\w+ {2}requeued\n$/,
    );
    await untilDead(2);
    await outsider.channel.cancel(consumerTag);
  });

  test('status counts them, and says what to do', async () => {
    expect(await status()).toMatch(/\ndead messages waiting: 0\n/);
    await die('first');
    const { servers, deadMessagesWaiting, problems } = await statusJson();
    expect(servers).toContainEqual(expect.objectContaining({ name: 'RabbitMQ', reachable: true }));
    expect(deadMessagesWaiting).toBe(1);
    expect(problems).toContain('1 dead messages wait: bootakhae dead-messages list');
    await outsider.channel.deleteQueue(DEAD_LETTER_QUEUE);
    expect(await statusJson()).toMatchObject({ deadMessagesWaiting: 0 });
  });

  test('where their queue has no leader, it says so: what waits is not known', async () => {
    await die('first');
    await rabbitmq.takeLeader(DEAD_LETTER_QUEUE);
    expect(await outsider.depth(DEAD_LETTER_QUEUE)).toBe(0); // RabbitMQ's own word
    for (const words of [['list'], ['requeue', '--all'], ['drop', '--all', '--reason', 'r']]) {
      const { code, stdout, stderr } = await run(words);
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(
        /^bootakhae: RabbitMQ at \S+, the queue "bootakhae\.dead-letters", does not answer: .*noproc.*\n$/,
      );
    }
    const { servers, deadMessagesWaiting, problems } = await statusJson();
    expect(servers).toContainEqual(expect.objectContaining({ name: 'RabbitMQ', reachable: true }));
    expect(deadMessagesWaiting).toBe(null);
    expect(problems).toContain('RabbitMQ does not answer for its queue of dead messages');
    await rabbitmq.giveLeader(DEAD_LETTER_QUEUE);
    expect((await list()).messages).toMatchObject([{ id: 'first' }]);
  });

  test('requeue: a queue of ours that was deleted is there again; nobody else has the message alone', async () => {
    const { queue } = await outsider.channel.assertQueue('', { exclusive: true });
    await outsider.channel.bindQueue(queue, EXCHANGE, '#');
    await outsider.channel.deleteQueue(STOCK_RECOVERY_QUEUE);
    await die('first');
    expect((await run(['requeue', 'first'])).code).toBe(0);
    expect(await outsider.depth(STOCK_RECOVERY_QUEUE)).toBe(1);
    await outsider.channel.deleteQueue(queue);
  });

  test('requeue: where a queue of ours is another nothing is done, and it says what to do', async () => {
    await outsider.channel.deleteQueue(STOCK_RECOVERY_QUEUE);
    await outsider.channel.assertQueue(STOCK_RECOVERY_QUEUE, { durable: true });
    await die('first');
    const { code, stdout, stderr } = await run(['requeue', 'first']);
    await outsider.channel.deleteQueue(STOCK_RECOVERY_QUEUE);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /^bootakhae: the queue "bootakhae\.stock-recovery" is there with other properties.*\n$/,
    );
    await untilDead(1);
  });

  test('drop prints it whole with the reason, and it is gone', async () => {
    await die('first');
    await die(null, { body: 'no JSON\n' });
    const [first, second] = (await list()).messages;
    const dropped = await run(['drop', second.id, '--reason', 'a typing error']);
    expect(dropped).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(dropped.stdout)).toEqual({ dropped: 'a typing error', ...second });
    await untilDead(1);
    expect((await list()).messages).toEqual([first]);
    expect(await outsider.depth(STOCK_RECOVERY_QUEUE)).toBe(0);
    expect((await run(['drop', '--all', '--reason', 'all of it'])).stdout).toMatch(
      /^{"dropped":"all of it",/,
    );
    await untilDead(0);
  });

  test.each([['list'], ['requeue', '--all']])(
    '%s: of none it says that others may have some',
    async (...words) => {
      await die('first');
      const message = await outsider.channel.get(DEAD_LETTER_QUEUE);
      const { code, stdout } = await run(words);
      outsider.channel.nack(message as GetMessage, false, true);
      expect([code, stdout]).toEqual([0, 'no dead messages, but for what another shell has in hand\n']);
      await untilDead(1);
    },
  );

  test('what cannot be printed is not dropped', async () => {
    await die('first');
    for (const words of [['list'], ['drop', '--all', '--reason', 'r']]) {
      const { code, stderr } = await runUnread(words);
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(/^bootakhae: the output cannot be written: ENOSPC.*\n$/),
      ]);
    }
    await untilDead(1);
    const unread = await runUnread(['requeue', 'first']);
    expect(unread.code).toBe(1); // it went before that could be said
    expect(await outsider.depth(STOCK_RECOVERY_QUEUE)).toBe(1);
  });

  test('an ID: each that has it; of different messages none until it is clear which', async () => {
    await die('twice');
    await die('twice');
    await die('other');
    expect((await run(['requeue', 'twice'])).stdout).toBe('twice  requeued\ntwice  requeued\n');
    await untilDead(1);
    await die('other', { body: 'another' });
    const refused = await run(['drop', 'other', '--reason', 'r']);
    expect([refused.code, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toMatch(
      /the message id of 2 different messages.* Say which: body:\w+ body:\w+\n$/,
    );
    const { messages } = await list();
    expect((await run(['drop', messages[1].digest, '--reason', 'r'])).code).toBe(0);
    await untilDead(1);
    const missing = await run(['requeue', 'other', 'nobody']);
    expect([missing.code, missing.stdout]).toEqual([1, '']);
    expect(missing.stderr).toMatch(/there is no dead message nobody, .*; nothing was done/);
    expect((await list()).messages).toMatchObject([{ id: 'other', body: BODY }]);
  });

  test('looked at ever again it stays, where a delivery limit would delete it', async () => {
    await rabbitmq.control('set_policy', 'limit', DEAD_LETTER_QUEUE, '{"delivery-limit":12}');
    try {
      await die('often');
      for (let look = 0; look < 16; look += 1) {
        const { messages } = await list();
        expect(messages, `look ${look}`).toMatchObject([
          { id: 'often', reason: 'no order of often', body: BODY },
        ]);
        await untilDead(1);
      }
    } finally {
      await rabbitmq.control('clear_policy', 'limit');
    }
  });

  describe('many', () => {
    const COUNT = 300;
    const numbers = Array.from({ length: COUNT }, (_, number) => String(number));

    beforeEach(async () => {
      for (const number of numbers)
        outsider.send(DEAD_LETTER_EXCHANGE, 'stock.recover', number, { messageId: number });
      await untilDead(COUNT);
    });

    const recovered = async () =>
      (await outsider.takeAll(STOCK_RECOVERY_QUEUE)).map(({ content }) => content.toString());

    test('requeue --all', async () => {
      const { code, stdout } = await run(['requeue', '--all']);
      expect([code, stdout.match(/requeued/g)!.length]).toEqual([0, COUNT]);
      expect(await recovered()).toEqual(numbers);
      await untilDead(0);
    });

    test('two shells at once requeue each once, beside one that looks', async () => {
      const shells = await Promise.all([
        run(['requeue', '--all']),
        run(['requeue', '--all']),
        run(['list', '--limit', '5']),
      ]);
      expect(shells.map(({ code, stderr }) => [code, stderr])).toEqual(shells.map(() => [0, '']));
      // What the third had in hand, the others may not have seen.
      await vi.waitUntil(async () => {
        await run(['requeue', '--all']);
        return (await outsider.depth(DEAD_LETTER_QUEUE)) === 0;
      }, WAIT);
      expect((await recovered()).sort()).toEqual([...numbers].sort());
    });

    test('RabbitMQ goes away in the middle: one line, and nothing is lost', async () => {
      await rabbitmq.saveQueueNames();
      const running = run(['requeue', '--all']);
      await vi.waitUntil(async () => (await outsider.depth(STOCK_RECOVERY_QUEUE)) > 20, {
        ...WAIT,
        interval: 2,
      });
      await rabbitmq.kill();
      const { code, stderr } = await running;
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(/^bootakhae: RabbitMQ at \S+ went away: .*\n$/),
      ]);
      await rabbitmq.start();
      outsider = await Outsider.of(rabbitmq);
      // What was in the hand of who died comes back once a leader sees that he is gone.
      await vi.waitUntil(async () => {
        const depths = [DEAD_LETTER_QUEUE, STOCK_RECOVERY_QUEUE].map((queue) => outsider.depth(queue));
        return (await Promise.all(depths)).reduce((sum, depth) => sum + depth) >= COUNT;
      }, WAIT);
      expect(await run(['requeue', '--all'])).toMatchObject({ code: 0, stderr: '' });
      expect([...new Set(await recovered())].sort()).toEqual([...numbers].sort());
    });
  });
});

test.each<[string[], NodeJS.ProcessEnv, string | RegExp]>([
  [['list'], {}, /AMQP_URL.*no local stack runs/],
  [
    ['list'],
    { AMQP_URL: 'amqp://guest:secret@127.0.0.1:1' },
    'RabbitMQ at 127.0.0.1:1 does not answer: connect',
  ],
  [['list', '--limit', '0'], {}, 'expected a whole number from 1'],
  [['requeue'], {}, 'name the dead messages, or say --all'],
  [['requeue', 'x', '--all'], {}, 'name the dead messages, or say --all'],
  [['drop', 'x'], {}, "required option '--reason"],
  [['drop', 'x', '--reason', ' '], {}, 'expected 1 to 255 characters'],
])('%j %j: one line and exit code 1', async (words, environment, line) => {
  const { code, stdout, stderr } = await run(words, environment);
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(line);
  expect(stderr).not.toContain('secret');
  expect(stderr.split('\n').filter((each) => each !== '' && !each.startsWith('(--help'))).toHaveLength(1);
});
