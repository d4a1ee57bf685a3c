import { TypeCompiler } from '@sinclair/typebox/compiler';
import { findRepeatFaults, firstWindow, nextWindow, type Repeat, type Window } from '../domain/recurrence.ts';
import { LATEST_MS, readTime, TIME_RULE } from '../domain/rfc3339.ts';
import type { EventItem, SaleEvent } from '../domain/sale-event.ts';
import { type AllotmentsBody, type EventBody, type EventEditBody, RepeatBody } from './event-body.ts';
import type { AllotmentAdjustment, EventDraft, EventEdit } from './sale-events.ts';

const repeatCheck = TypeCompiler.Compile(RepeatBody);

/** What is wrong with one member, for people; `path` is a JSON pointer. */
export interface DraftFault {
  readonly path: string;
  readonly message: string;
}

/** What was asked for, or everything that is wrong with it. */
export type Reading<Asked> = { readonly asked: Asked } | { readonly faults: readonly DraftFault[] };

/**
 * Reads a new event. Its first window is the one that is stated, those after it are the cron's; of one that repeats the whole
 * window may be left out (the cron's next at `now`, ms since 1970), or its end.
 */
export function readEventDraft(body: EventBody, now: number): Reading<EventDraft> {
  const { name, holdSeconds = 0, items } = body;
  const faults: DraftFault[] = findDoubles(items);
  const repeat = readRepeat(body.repeat ?? null, now, faults);
  const window = readFirstWindow({ ...readTimes(body, faults), repeat }, { now, faults });
  if (!window || faults.length > 0) return { faults };
  return { asked: { name, ...window, holdSeconds, repeat, items: items.map(toItem) } };
}

/**
 * Reads a change of `event`. A new repeat without times makes the cron's next window at `now` the event's; with times they are
 * read as those of a new event.
 */
export function readEventEdit(body: EventEditBody, event: SaleEvent, now: number): Reading<EventEdit> {
  const { name, holdSeconds, items } = body;
  const faults: DraftFault[] = findDoubles(items ?? []);
  const repeat = body.repeat === undefined ? event.repeat : readRepeat(body.repeat, now, faults);
  const stated = readTimes(body, faults);
  const isMoved = Boolean(body.repeat) || Object.keys(stated).length > 0;
  const told = body.repeat ? stated : { startsAt: event.startsAt, endsAt: event.endsAt, ...stated };
  const window = isMoved ? readFirstWindow({ ...told, repeat }, { now, faults }) : null;
  if (faults.length > 0) return { faults };
  return {
    asked: {
      ...(name !== undefined && { name }),
      ...(holdSeconds !== undefined && { holdSeconds }),
      ...(items && { items: items.map(toItem) }),
      ...(body.repeat !== undefined && { repeat }),
      ...(body.repeat ? window : stated),
    },
  };
}

/** Reads a change of allotments. */
export function readAllotments({ items, reason }: AllotmentsBody): Reading<AllotmentAdjustment> {
  const faults = findDoubles(items);
  items.forEach(({ delta }, at) => {
    if (delta === 0) faults.push({ path: `/items/${at}/delta`, message: 'must not be 0' });
  });
  return faults.length > 0 ? { faults } : { asked: { items, reason } };
}

function toItem({ limitPerUser = null, ...item }: EventBody['items'][number]): EventItem {
  return { ...item, limitPerUser };
}

function findDoubles(items: readonly { readonly sku: string }[]): DraftFault[] {
  const named = new Set<string>();
  return items.flatMap(({ sku }, at) => {
    if (named.has(sku)) return [{ path: `/items/${at}/sku`, message: 'is named twice' }];
    named.add(sku);
    return [];
  });
}

/** Null where there is none, or none that can be read: then `faults` says why. */
function readRepeat(stated: unknown, now: number, faults: DraftFault[]): Repeat | null {
  if (stated === null) return null;
  if (repeatCheck.Check(stated)) {
    const found = findRepeatFaults(stated, now);
    faults.push(...found.map(({ member, message }) => ({ path: `/repeat/${member}`, message })));
    return found.length > 0 ? null : stated;
  }
  const isFirst = new Set<string>();
  for (const { path, message, schema } of repeatCheck.Errors(stated)) {
    if (isFirst.has(path)) continue;
    isFirst.add(path);
    faults.push({ path: `/repeat${path}`, message: schema.rule ?? message });
  }
  return null;
}

function readTimes(
  stated: { readonly startsAt?: string | undefined; readonly endsAt?: string | undefined },
  faults: DraftFault[],
): Partial<Window> {
  const times: { -readonly [Name in keyof Window]?: Window[Name] } = {};
  for (const name of ['startsAt', 'endsAt'] as const) {
    const text = stated[name];
    if (text === undefined) continue;
    const time = readTime(text);
    if (time === null) faults.push({ path: `/${name}`, message: TIME_RULE });
    else times[name] = time;
  }
  return times;
}

interface WindowReading {
  readonly now: number;
  readonly faults: DraftFault[];
}

/** Asks nothing more of what is wrong already. */
function readFirstWindow(
  asked: Partial<Window> & { readonly repeat: Repeat | null },
  { now, faults }: WindowReading,
): Window | null {
  if (faults.length > 0) return null;
  const window = firstWindow(asked, now);
  faults.push(...(window ? findWindowFaults(window, asked.repeat, now) : findMissingTimes(asked)));
  return window;
}

function findMissingTimes({
  startsAt,
  endsAt,
  repeat,
}: Partial<Window> & { repeat: Repeat | null }): DraftFault[] {
  if (repeat) return [{ path: '/startsAt', message: 'must be given where endsAt is' }];
  const missing = [startsAt === undefined ? ['/startsAt'] : [], endsAt === undefined ? ['/endsAt'] : []];
  return missing.flat().map((path) => ({ path, message: 'must be given for an event that does not repeat' }));
}

function findWindowFaults({ startsAt, endsAt }: Window, repeat: Repeat | null, now: number): DraftFault[] {
  const path = '/endsAt';
  if (endsAt <= startsAt) return [{ path, message: 'must be after startsAt' }];
  if (endsAt <= now) return [{ path, message: 'must be in the future' }];
  if (endsAt > LATEST_MS) return [{ path, message: 'must be before the year 10000' }];
  const second = repeat && nextWindow(repeat, startsAt + 1);
  if (!second || second.startsAt >= endsAt) return [];
  const at = new Date(second.startsAt).toISOString();
  return [{ path, message: `must not be after the next occurrence begins, at ${at}` }];
}
