import { beforeEach, describe, expect, test, vi } from 'vitest';
import { keptLog } from '../../test/fixtures/kept-log.ts';
import { NotAccepting, OutcomeUnknown } from '../domain/fault.ts';
import type { SaleEvent } from '../domain/sale-event.ts';
import type { AdvanceResult } from '../events/sale-events.ts';
import { systemClock } from '../runtime/clock.ts';
import { dueEvents } from './due-events.ts';

const EVENT: SaleEvent = {
  ...{ id: 'e', name: 'the sale', status: 'open', holdSeconds: 0, items: [] },
  ...{ startsAt: 0, endsAt: 1, repeat: null, occurrence: 3 },
};
const DONE: AdvanceResult = { kind: 'done', event: EVENT, action: 'open', shortfalls: [] };
const SOUND = { eventId: 'e', occurrence: 3 };

let log: ReturnType<typeof keptLog>;
let stopping: AbortController;

beforeEach(() => {
  log = keptLog();
  stopping = new AbortController();
});

/** Handles a message; `looks` is what each look at what is due finds, the last one for ever. */
function deliver(looks: readonly (AdvanceResult | Error)[], body: unknown = SOUND) {
  const asked: [string, number][] = [];
  const advance = async (...about: [string, number]) => {
    const found = looks[Math.min(asked.push(about), looks.length) - 1]!;
    if (found instanceof Error) throw found;
    return found;
  };
  const { handle } = dueEvents({ advance, clock: systemClock, logger: log.logger });
  const content = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const delivery = { content, routingKey: 'event.open', messageId: null, isRedelivered: false };
  return { asked, verdict: handle({ ...delivery, signal: stopping.signal }) };
}

const said = () => log.lines.map(({ msg }) => msg);

test.each<[string, AdvanceResult, string]>([
  ['is done', DONE, 'sale event advanced'],
  [
    'is done with less than was to be sold',
    { ...DONE, shortfalls: [{ sku: 'tea', stock: 5, moved: 3 }] },
    'sale event opened with less than its allotment',
  ],
  ['was done before', { kind: 'stale' }, 'nothing is due for the sale event'],
  ['is of no event that is there', { kind: 'missing' }, 'there is no such sale event'],
])('what %s is looked at once', async (_, result, line) => {
  const { asked, verdict } = deliver([result]);
  expect(await verdict).toBe('done');
  expect(asked).toEqual([['e', 3]]);
  expect(said()).toEqual([line]);
});

describe('what is early', () => {
  test('by a little is looked at again when it is due, not before', async () => {
    const at = Date.now() + 120;
    const times: number[] = [];
    const { handle } = dueEvents({
      advance: async () => {
        times.push(Date.now());
        return Date.now() < at ? { kind: 'early', at } : DONE;
      },
      clock: systemClock,
      logger: log.logger,
    });
    const content = Buffer.from(JSON.stringify(SOUND));
    const delivery = { content, routingKey: 'event.open', messageId: null, isRedelivered: false };
    expect(await handle({ ...delivery, signal: stopping.signal })).toBe('done');
    expect(times.at(-1)).toBeGreaterThanOrEqual(at);
    expect(times.length).toBeLessThan(6); // a timer may fire a millisecond early
  });

  test('by much is left to whoever says it again', async () => {
    const { asked, verdict } = deliver([{ kind: 'early', at: Date.now() + 60_000 }]);
    expect(await verdict).toBe('done');
    expect(asked).toHaveLength(1);
  });
});

describe('where another event has the products', () => {
  test('it is looked at again: that one may be closing', async () => {
    const { asked, verdict } = deliver([{ kind: 'taken', skus: ['tea'] }, DONE]);
    expect(await verdict).toBe('done');
    expect(asked).toHaveLength(2);
    expect(said()).toEqual(['sale event advanced']);
  });

  test('it is given up in the end, and said so', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    const { asked, verdict } = deliver([{ kind: 'taken', skus: ['tea'] }]);
    await verdict;
    expect(asked).toHaveLength(21);
    expect(said()).toEqual(['sale event not opened: another one has its products']);
  });
});

describe('what is not possible now', () => {
  test('is tried again, and said once', async () => {
    const { asked, verdict } = deliver([new NotAccepting('closed'), new OutcomeUnknown('late'), DONE]);
    expect(await verdict).toBe('done');
    expect(asked).toHaveLength(3);
    expect(said()).toEqual([
      'not possible now; trying again, for ever',
      'possible again',
      'sale event advanced',
    ]);
  });

  test('is given up when the process stops, without a verdict', async () => {
    const { verdict } = deliver([new NotAccepting('closed')]);
    await vi.waitUntil(() => said().length > 0);
    stopping.abort();
    await expect(verdict).rejects.toThrow();
  });
});

test.each<[string, unknown, string]>([
  ['no JSON', '{', 'the body is no JSON'],
  ['no event', { occurrence: 1 }, 'the body has no "eventId"'],
  ['no occurrence', { eventId: 'e' }, 'the body has no "occurrence"'],
  ['half an occurrence', { eventId: 'e', occurrence: 1.5 }, '"occurrence" is no whole number from 1'],
  ['an occurrence of 0', { eventId: 'e', occurrence: 0 }, '"occurrence" is no whole number from 1'],
  ['an occurrence that is text', { eventId: 'e', occurrence: '1' }, '"occurrence" is no whole number from 1'],
])('a message with %s is dead, and nothing is done', async (_, body, reason) => {
  const { asked, verdict } = deliver([DONE], body);
  expect(await verdict).toEqual({ dead: expect.stringContaining(reason) });
  expect(asked).toEqual([]);
});
