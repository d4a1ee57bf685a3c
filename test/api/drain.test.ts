import { beforeAll, expect, test } from 'vitest';
import { ORIGIN } from '../../engine/domain/position.ts';
import { readEntriesAfter } from '../../engine/redis/journal-stream.ts';
import { tokenFor } from '../fixtures/http.ts';
import { head, RawConnection } from '../fixtures/raw-http.ts';
import { useApi } from '../fixtures/running-api.ts';

const CONNECTIONS = 64;
const ORDERS_BEFORE_SIGNAL = 500;
const api = useApi();

beforeAll(async () => {
  await api.put('tea', { stock: 1_000_000 });
});

const BODY = '{"items":[{"sku":"tea","quantity":1}]}';
const ORDER =
  head('POST /api/v1/orders', {
    Authorization: `Bearer ${tokenFor('mina')}`,
    'Content-Type': 'application/json',
    'Content-Length': String(BODY.length),
  }) + BODY;

/** What one keep-alive connection saw until it was closed or told to close. */
interface Seen {
  readonly accepted: string[];
  readonly refused: number;
  /** A request was sent on it that was never answered. */
  readonly unanswered: boolean;
}

/** Orders again and again on one connection, each when the one before is answered, until it is closed. */
async function orderUntilClosed(url: string, onAccepted: () => void): Promise<Seen> {
  const connection = await RawConnection.open(url);
  const accepted: string[] = [];
  for (let answers = 1; ; answers++) {
    connection.send(ORDER);
    const text = await connection.until(
      new RegExp(`(HTTP/1\\.1 [^]*?\\r\\n\\r\\n\\{[^]*?\\}(?=HTTP|$)){${answers}}`),
    );
    const replies = text.split(/(?=HTTP\/1\.1 )/).filter((reply) => reply.endsWith('}'));
    const last = replies[answers - 1];
    const id = last && /^HTTP\/1\.1 201 .*"id":"(\w+)"/s.exec(last)?.[1];
    if (!id) {
      connection.close();
      return { accepted, refused: last ? 1 : 0, unanswered: !last };
    }
    accepted.push(id);
    onAccepted();
  }
}

async function orderIdsInJournal(): Promise<string[]> {
  const entries = await readEntriesAfter(api.redis, ORIGIN, { count: 1_000_000 });
  return entries.flatMap((entry) =>
    entry.kind === 'orders' ? entry.orders.map(({ order }) => order.id) : [],
  );
}

test('P3: SIGTERM under load: every order taken in is answered, none is taken in after it', async () => {
  const victim = await api.startAnother();
  let accepted = 0;
  let seen: Promise<Seen[]> = Promise.resolve([]);
  const enough = new Promise<void>((resolve) => {
    const connections = Array.from({ length: CONNECTIONS }, () =>
      orderUntilClosed(victim.url, () => {
        accepted += 1;
        if (accepted === ORDERS_BEFORE_SIGNAL) resolve();
      }),
    );
    seen = Promise.all(connections);
  });
  await enough;
  expect(await victim.stop('SIGTERM')).toBe(0);
  const ids = (await seen).flatMap((connection) => connection.accepted);

  // The journal and the shoppers tell the same story: none was taken without an answer, none answered without it.
  expect(ids.sort()).toEqual((await orderIdsInJournal()).sort());
  expect(new Set(ids).size).toBe(ids.length);
  expect(victim.log.map(({ msg }) => msg)).toContain('stopped: every request taken was answered');
  await api.expectConsistent();
});

test('a process told to stop closes idle connections and takes no new ones', async () => {
  const victim = await api.startAnother();
  const idle = await RawConnection.open(victim.url);
  idle.send(head('GET /healthz', {}));
  await idle.until(/alive/);
  expect(await victim.stop('SIGTERM')).toBe(0);
  await idle.untilClosed();
  await expect(RawConnection.open(victim.url)).rejects.toThrow(/ECONNREFUSED/);
});
