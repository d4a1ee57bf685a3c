import { beforeEach, describe, expect, test } from 'vitest';
import type { UpcomingEvent } from '../database/statements/read-upcoming-events.ts';
import { Agenda, LEAD_MS, OVERDUE_MS } from './agenda.ts';

const T = Date.parse('2030-05-01T14:00:00Z');
const HOUR_MS = 3_600_000;
const clock = { wall: T, steady: 0, nowMs: () => clock.wall, monotonicMs: () => clock.steady };
let agenda: Agenda;

beforeEach(() => {
  Object.assign(clock, { wall: T - HOUR_MS, steady: 1_000 });
  agenda = new Agenda(clock);
});

function pass(ms: number): void {
  clock.wall += ms;
  clock.steady += ms;
}

function event(changes: Partial<UpcomingEvent> = {}): UpcomingEvent {
  const times = { startsAt: T, endsAt: T + HOUR_MS };
  return { id: 'sale', occurrence: 1, status: 'scheduled', ...times, repeat: null, ...changes };
}

/** Announces what is to be announced, successfully; resolves to what was said. */
async function announced(): Promise<string[]> {
  const said: string[] = [];
  for (const item of agenda.toAnnounce()) {
    await item.announce(async ({ eventId, occurrence, step }) => {
      said.push(`${step} ${eventId} ${occurrence}`);
    });
  }
  return said;
}

describe('when', () => {
  test('a second ahead of its time, not before, and once', async () => {
    agenda.replace([event()]);
    pass(HOUR_MS - LEAD_MS - 1);
    expect(await announced()).toEqual([]);
    pass(1);
    expect(await announced()).toEqual(['open sale 1']);
    pass(LEAD_MS);
    expect(await announced()).toEqual([]);
  });

  test('an open one is closed at its end', async () => {
    agenda.replace([event({ status: 'open' })]);
    pass(HOUR_MS);
    expect(await announced()).toEqual([]);
    pass(HOUR_MS - LEAD_MS);
    expect(await announced()).toEqual(['close sale 1']);
  });

  test('after downtime of any length everything that is due goes at once', async () => {
    pass(1_000 * HOUR_MS);
    const ids = ['a', 'b', 'c'];
    agenda.replace([...ids.map((id) => event({ id })), event({ id: 'd', status: 'open', occurrence: 7 })]);
    expect(await announced()).toEqual(['open a 1', 'open b 1', 'open c 1', 'close d 7']);
  });
});

describe('again', () => {
  test('what is not done is announced again, each time after twice as long, at most 5 minutes', async () => {
    agenda.replace([event()]);
    pass(HOUR_MS - LEAD_MS);
    expect(await announced()).toHaveLength(1);
    pass(LEAD_MS);
    const pauses: number[] = [];
    for (let waited = 0; pauses.length < 14; waited += 100) {
      if ((await announced()).length > 0) {
        pauses.push(waited / 1_000);
        waited = 0;
      }
      agenda.replace([event()]); // MariaDB says the same at each look
      pass(100);
    }
    expect(pauses.slice(0, 6)).toEqual([0.3, 0.6, 1.2, 2.4, 4.8, 9.6]);
    expect(pauses.slice(-3)).toEqual([300, 300, 300]);
  });

  test('what was not confirmed is announced again half a second later, and not while it is being announced', async () => {
    agenda.replace([event()]);
    pass(HOUR_MS);
    const [item] = agenda.toAnnounce();
    const refused = item!.announce(async () => {
      expect(agenda.toAnnounce()).toEqual([]);
      throw new Error('RabbitMQ is away');
    });
    await expect(refused).rejects.toThrow('RabbitMQ is away');
    expect(await announced()).toEqual([]);
    pass(500);
    expect(await announced()).toEqual(['open sale 1']);
  });

  test('the step after the one that was announced is announced anew', async () => {
    agenda.replace([event()]);
    pass(HOUR_MS);
    expect(await announced()).toEqual(['open sale 1']);
    pass(HOUR_MS);
    agenda.replace([event({ status: 'open' })]);
    expect(await announced()).toEqual(['close sale 1']);
    agenda.replace([event({ occurrence: 2, startsAt: clock.wall })]);
    expect(await announced()).toEqual(['open sale 2']);
  });
});

describe('what changes', () => {
  test('an event that is cancelled, or done, is not announced any more', async () => {
    agenda.replace([event(), event({ id: 'other' })]);
    pass(HOUR_MS);
    agenda.replace([event({ id: 'other' })]);
    expect(await announced()).toEqual(['open other 1']);
    pass(HOUR_MS);
    agenda.replace([]);
    expect(await announced()).toEqual([]);
    expect(agenda.overdue).toBe(0);
  });

  test('a start that moves is announced for its new time, even when it was announced for the old one', async () => {
    agenda.replace([event()]);
    pass(HOUR_MS - LEAD_MS);
    expect(await announced()).toEqual(['open sale 1']);
    agenda.replace([event({ startsAt: T + 60_000 })]);
    pass(LEAD_MS);
    expect(await announced()).toEqual([]);
    pass(60_000 - LEAD_MS);
    expect(await announced()).toEqual(['open sale 1']);
  });
});

test('a start that is moved forward is announced for its new time', async () => {
  agenda.replace([event({ startsAt: T + HOUR_MS })]);
  pass(HOUR_MS);
  expect(await announced()).toEqual([]);
  agenda.replace([event({ startsAt: clock.wall + LEAD_MS })]);
  expect(await announced()).toEqual(['open sale 1']);
});

describe('the wall clock', () => {
  test('steps back: what was announced before its time is announced again when the time comes', async () => {
    agenda.replace([event()]);
    pass(HOUR_MS - LEAD_MS);
    expect(await announced()).toEqual(['open sale 1']);
    clock.wall -= 60_000;
    expect(await announced()).toEqual([]);
    pass(59_999);
    expect(await announced()).toEqual([]);
    pass(1);
    expect(await announced()).toEqual(['open sale 1']);
  });

  test('steps back to before its time after it was announced for long: it is not paused for when the time comes', async () => {
    agenda.replace([event()]);
    pass(HOUR_MS);
    for (let said = 0; said < 12; pass(100)) said += (await announced()).length;
    clock.wall = T - LEAD_MS - 1;
    expect(await announced()).toEqual([]);
    pass(1);
    expect(await announced()).toEqual(['open sale 1']);
  });

  test('steps back by less than the time since: the pauses go on as they were', async () => {
    agenda.replace([event()]);
    pass(HOUR_MS + 10_000);
    expect(await announced()).toHaveLength(1);
    clock.wall -= 10_000;
    pass(299);
    expect(await announced()).toEqual([]);
    pass(1);
    expect(await announced()).toHaveLength(1);
  });

  test('steps forward: what is due by then goes at once', async () => {
    agenda.replace([event()]);
    clock.wall += HOUR_MS;
    expect(await announced()).toEqual(['open sale 1']);
  });
});

describe('while MariaDB cannot say what is done', () => {
  const repeat = { cron: '0 * * * *', timezone: 'UTC', durationMinutes: 10 };
  const repeating = event({ endsAt: T + 600_000, repeat });

  test('the close follows the opening, and nothing follows the close of one that does not repeat', async () => {
    agenda.replace([event()]);
    pass(HOUR_MS - LEAD_MS);
    agenda.extend();
    expect(await announced()).toEqual(['open sale 1']);
    pass(HOUR_MS);
    agenda.extend();
    expect(await announced()).toEqual(['open sale 1', 'close sale 1']);
    pass(HOUR_MS);
    agenda.extend();
    expect(new Set(await announced())).toEqual(new Set(['open sale 1', 'close sale 1']));
  });

  test('the next window follows the close, at its own time', async () => {
    agenda.replace([repeating]);
    pass(HOUR_MS + 600_000);
    agenda.extend();
    expect(await announced()).toEqual(['open sale 1', 'close sale 1']);
    pass(HOUR_MS - 600_000 - LEAD_MS);
    agenda.extend();
    expect(await announced()).toContain('open sale 2');
    pass(600_000);
    agenda.extend();
    expect(await announced()).toContain('close sale 2');
  });

  test('however long that is, the list stays short; what MariaDB said last stays on it, and what is due now', async () => {
    agenda.replace([repeating]);
    for (let hour = 0; hour < 48; hour++) {
      pass(HOUR_MS);
      agenda.extend();
    }
    const said = await announced();
    expect(said.length).toBeLessThanOrEqual(8);
    expect(said[0]).toBe('open sale 1');
    expect(said.at(-1)).toBe('open sale 48');
  });

  test('when it says so again, only that counts', async () => {
    agenda.replace([repeating]);
    pass(5 * HOUR_MS);
    agenda.extend();
    agenda.replace([event({ occurrence: 6, startsAt: T + 5 * HOUR_MS })]);
    expect(await announced()).toEqual([]);
  });
});

test('overdue is what is not done five seconds after its time', () => {
  agenda.replace([event(), event({ id: 'other', startsAt: T + 1 })]);
  pass(HOUR_MS + OVERDUE_MS - 1);
  expect(agenda.overdue).toBe(0);
  pass(1);
  expect(agenda.overdue).toBe(1);
});
