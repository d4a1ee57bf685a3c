import { beforeEach, describe, expect, test, vi } from 'vitest';
import { DAILY, EventCalls, inHours, MONTH, once, pathsOf, STOCK, YEARLY } from '../fixtures/event-calls.ts';
import { tokenFor } from '../fixtures/http.ts';
import { expectProblem, useApi } from '../fixtures/running-api.ts';

const api = useApi();
const events = new EventCalls(api);
const ITS_START = new RegExp(`-${MONTH.padStart(2, '0')}-01T05:00:00.000Z$`);
const ITS_END = new RegExp(`-${MONTH.padStart(2, '0')}-01T05:30:00.000Z$`);
let sku: string;

beforeEach(async () => {
  sku = await events.newProduct();
});

const product = async () => (await api.call(`/api/v1/products/${encodeURIComponent(sku)}`)).body;

describe('an event that repeats', () => {
  test('has the first window that is stated, and is shown with its repeat', async () => {
    const times = { startsAt: '2030-01-05T03:00:00.000Z', endsAt: '2030-01-05T03:10:00.000Z' };
    const id = await events.created({ ...times, repeat: DAILY });
    expect(await events.show(id)).toMatchObject({
      ...times,
      repeat: DAILY,
      status: 'scheduled',
      occurrence: 1,
    });
  });

  test("has the cron's next window where none is stated", async () => {
    const { startsAt, endsAt } = await events.show(await events.created({ repeat: DAILY }));
    expect(startsAt).toMatch(/T05:00:00.000Z$/);
    const wait = Date.parse(startsAt) - Date.now();
    expect(wait).toBeGreaterThan(-1_000);
    expect(wait).toBeLessThanOrEqual(24 * 3_600_000);
    expect(Date.parse(endsAt) - Date.parse(startsAt)).toBe(30 * 60_000);
  });

  test('has a window of its length where only the start is stated', async () => {
    const id = await events.created({ startsAt: '2030-01-05T03:00:00Z', repeat: DAILY });
    expect(await events.show(id)).toMatchObject({ endsAt: '2030-01-05T03:30:00.000Z' });
  });

  test.each([
    ['times that are left out', {}, ['/startsAt', '/endsAt']],
    ['a start without an end', { startsAt: '2030-01-05T03:00:00Z' }, ['/endsAt']],
    ['an end alone', { endsAt: '2030-01-05T03:00:00Z', repeat: DAILY }, ['/startsAt']],
    ['a pattern of no calendar', { repeat: { ...DAILY, cron: '0 14 31 2 *' } }, ['/repeat/cron']],
    ['a pattern of words', { repeat: { ...DAILY, cron: 'every day' } }, ['/repeat/cron']],
    [
      'a pattern that is too long',
      { repeat: { ...DAILY, cron: `0 14 * * ${'1,'.repeat(200)}1` } },
      ['/repeat/cron'],
    ],
    ['a zone that is not there', { repeat: { ...DAILY, timezone: 'Mars/Olympus' } }, ['/repeat/timezone']],
    ['a zone that is too long', { repeat: { ...DAILY, timezone: 'x'.repeat(65) } }, ['/repeat/timezone']],
    ['no length', { repeat: { ...DAILY, durationMinutes: 0 } }, ['/repeat/durationMinutes']],
    ['half a minute', { repeat: { ...DAILY, durationMinutes: 0.5 } }, ['/repeat/durationMinutes']],
    ['more than a year', { repeat: { ...DAILY, durationMinutes: 525_601 } }, ['/repeat/durationMinutes']],
    [
      'windows longer than a day',
      { repeat: { ...DAILY, durationMinutes: 1_441 } },
      ['/repeat/durationMinutes'],
    ],
    ['nothing of a repeat', { repeat: {} }, ['/repeat/cron', '/repeat/timezone', '/repeat/durationMinutes']],
    ['more than a repeat has', { repeat: { ...DAILY, until: 7 } }, ['/repeat/until']],
    ['a repeat that is a text', { repeat: '0 14 * * *' }, ['/repeat']],
    [
      'a first window that runs into the second',
      { startsAt: '2030-01-05T04:00:00Z', endsAt: '2030-01-05T05:00:01Z', repeat: DAILY },
      ['/endsAt'],
    ],
    ['an end after 9999', { startsAt: '9999-12-31T23:59:00Z', repeat: DAILY }, ['/endsAt']],
  ])('with %s is refused', async (_, over, paths) => {
    const answer = await events.create(over);
    expectProblem(answer, 400, 'invalid_request');
    expect(pathsOf(answer)).toEqual(paths);
  });

  test('keeps others from its products in all of its windows', async () => {
    const id = await events.created({ repeat: DAILY });
    const near = { startsAt: inHours(24 * 90).replace(/T.*/, 'T05:29:59Z'), endsAt: inHours(24 * 91) };
    const refused = await events.create(near);
    expectProblem(refused, 409, 'event_overlap');
    expect(refused.body.events).toEqual([id]);
    const other = `${sku} b`;
    await api.put(other, { stock: 5 });
    expect((await events.create({ ...near, items: [events.item({ sku: other })] })).status).toBe(201);
  });

  test('goes on with its next window when it is closed by hand, and ends when it is cancelled', async () => {
    const id = await events.created({ ...once(), repeat: YEARLY });
    const opened = await events.step(id, 'open');
    expect(opened.body).toMatchObject({ status: 'open', occurrence: 1 });
    const closed = await events.step(id, 'close');
    expect(closed.body).toMatchObject({ status: 'scheduled', occurrence: 2 });
    expect(closed.body.startsAt).toMatch(ITS_START);
    expect(await product()).toMatchObject({ stock: STOCK, event: null });
    expect((await events.step(id, 'cancel')).body).toMatchObject({ status: 'cancelled', occurrence: 2 });
    expectProblem(await events.step(id, 'open'), 409, 'event_state');
    await api.drain();
    const { items } = (await events.history(id)).body;
    expect(items.map((each: { status: string }) => each.status)).toEqual(['cancelled', 'closed']);
  });
});

describe('changing a scheduled event', () => {
  test('sets what is named and leaves the rest', async () => {
    const id = await events.created({ startsAt: inHours(1), endsAt: inHours(2) });
    const before = await events.show(id);
    const edits = [
      { name: '다른 세일' },
      { startsAt: '2030-01-05T03:00:00.000Z', endsAt: '2030-01-05T09:00:00.000Z' },
      { endsAt: '2030-01-05T08:00:00.000Z' },
      { holdSeconds: 30 },
      { items: [events.item({ stock: 7, limitPerUser: 2 })] },
      { repeat: DAILY, startsAt: '2030-01-06T03:00:00.000Z', endsAt: '2030-01-06T03:05:00.000Z' },
      { repeat: null },
    ];
    let expected = before;
    for (const change of edits) {
      expected = { ...expected, ...change };
      const answer = await events.edit(id, change);
      expect(answer.status, JSON.stringify(answer.body)).toBe(200);
      expect(answer.body).toMatchObject(expected);
      expect(await events.show(id)).toEqual(expected);
    }
  });

  test("to a new repeat without times moves it to the cron's next window", async () => {
    const id = await events.created({ startsAt: inHours(1), endsAt: inHours(2) });
    const { body } = await events.edit(id, { repeat: YEARLY });
    expect(body.startsAt).toMatch(ITS_START);
    expect(body.endsAt).toMatch(ITS_END);
  });

  test.each([
    ['nothing', {}, ['']],
    ['what it does not have', { status: 'open' }, ['/status']],
    ['an end before its start', { endsAt: inHours(0.5) }, ['/endsAt']],
    ['times that are over', { startsAt: inHours(-2), endsAt: inHours(-1) }, ['/endsAt']],
    ['a start that is no time', { startsAt: 'soon' }, ['/startsAt']],
    ['a repeat that never comes', { repeat: { ...DAILY, cron: '0 0 30 2 *' } }, ['/repeat/cron']],
    ['no items', { items: [] }, ['/items']],
    [
      'a product named twice',
      { items: [1, 2].map(() => ({ sku: 'x', stock: 1, price: 1 })) },
      ['/items/1/sku'],
    ],
  ])('to %s is refused and changes nothing', async (_, change, paths) => {
    const id = await events.created({ startsAt: inHours(1), endsAt: inHours(2) });
    const before = await events.show(id);
    const answer = await events.edit(id, change);
    expectProblem(answer, 400, 'invalid_request');
    expect(pathsOf(answer)).toEqual(paths);
    expect(await events.show(id)).toEqual(before);
  });

  test('is refused where it meets another, names no product, or is not there', async () => {
    const first = await events.created({ startsAt: inHours(1), endsAt: inHours(2) });
    const second = await events.created({ startsAt: inHours(3), endsAt: inHours(4) });
    const overlap = await events.edit(second, { startsAt: inHours(1.5) });
    expectProblem(overlap, 409, 'event_overlap');
    expect(overlap.body.events).toEqual([first]);
    expectProblem(
      await events.edit(second, { items: [events.item({ sku: 'nothing' })] }),
      422,
      'unknown_product',
    );
    expectProblem(await events.edit('nothing', { name: 'x' }), 404, 'not_found');
    expectProblem(await events.edit(second, { name: 'x' }, tokenFor('mina')), 403, 'forbidden');
  });

  test('is refused once it is open, closed or cancelled', async () => {
    const id = await events.opened();
    expectProblem(await events.edit(id, { name: 'x' }), 409, 'event_state');
    await events.step(id, 'close');
    expectProblem(await events.edit(id, { name: 'x' }), 409, 'event_state');
    const cancelled = await events.created(once());
    await events.step(cancelled, 'cancel');
    expectProblem(await events.edit(cancelled, { name: 'x' }), 409, 'event_state');
  });
});

describe('P4: a key under which an event was created', () => {
  test('is answered with it also when the event would be over by now', async () => {
    const headers = { 'Idempotency-Key': `short-${sku.replace(' ', '')}` };
    const over = { startsAt: inHours(-1), endsAt: new Date(Date.now() + 2_000).toISOString() };
    const first = await events.create(over, headers);
    expect(first.status).toBe(201);
    await vi.waitUntil(() => Date.parse(over.endsAt) < Date.now(), { timeout: 10_000 });
    expect(await events.create(over, headers)).toMatchObject({ status: 201, body: first.body });
    expectProblem(await events.create(over), 400, 'invalid_request');
  });
});

describe('the list of events', () => {
  test('may be of one status', async () => {
    const [scheduled, open] = [
      await events.created({ startsAt: inHours(2), endsAt: inHours(3) }),
      await events.opened(),
    ];
    const idsOf = async (query: string) =>
      (await api.call(`/api/v1/events${query}`)).body.items.map(({ id }: { id: string }) => id);
    expect(await idsOf('')).toEqual(expect.arrayContaining([scheduled, open]));
    const listed = await idsOf('?status=open');
    expect(listed).toContain(open);
    expect(listed).not.toContain(scheduled);
    expectProblem(await api.call('/api/v1/events?status=gone'), 400, 'invalid_request');
  });

  test('comes in pages, each event once, in the order of their starts', async () => {
    const skus = ['a', 'b', 'c', 'd', 'e'].map((name) => `${sku} ${name}`);
    await Promise.all(skus.map((name) => api.put(name, { stock: 1, price: 100 })));
    const startsAt = inHours(5);
    const ids = await Promise.all(
      skus.map((name) =>
        events.created({ startsAt, endsAt: inHours(6), items: [events.item({ sku: name, stock: 1 })] }),
      ),
    );
    const whole = await events.list('?limit=100');
    expect(whole.nextCursor).toBeNull();
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page = await events.list(`?limit=2${cursor && `&cursor=${cursor}`}`);
      expect(page.items.length).toBeLessThanOrEqual(2);
      seen.push(...page.items.map(({ id }: { id: string }) => id));
      cursor = page.nextCursor;
    }
    expect(seen).toEqual(whole.items.map(({ id }: { id: string }) => id));
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining(ids));
    expect(whole.items).toEqual(
      [...whole.items].sort((a, b) => Date.parse(a.startsAt) - Date.parse(b.startsAt)),
    );
  });

  test.each(['?limit=0', '?limit=101', '?limit=all', '?cursor=', '?cursor=x', '?cursor=1', '?cursor=1.a.b'])(
    'is not asked for with %s',
    async (query) => expectProblem(await api.call(`/api/v1/events${query}`), 400, 'invalid_request'),
  );
});
