import { Cron } from 'croner';

/**
 * When a sale event comes again: a cron pattern of five fields (minute, hour, day of month, month, day of week) or six
 * (second first), read in an IANA time zone, and how long each occurrence lasts.
 */
export interface Repeat {
  readonly cron: string;
  readonly timezone: string;
  readonly durationMinutes: number;
}

/** From `startsAt` until just before `endsAt`, ms since 1970. */
export interface Window {
  readonly startsAt: number;
  readonly endsAt: number;
}

/** What is wrong with one member of a `Repeat`, for people. */
export interface RepeatFault {
  readonly member: keyof Repeat;
  readonly message: string;
}

const MINUTE_MS = 60_000;
const FIELDS = /^ *[!-~]+( +[!-~]+){4,5} *$/;
/** How many occurrences ahead are looked at for one that begins before the last one has ended. */
const OCCURRENCES_CHECKED = 100;

/**
 * What stands against a repeat, nothing where it is sound: a pattern or a time zone that cannot be read, one that never
 * comes, or occurrences that would run into each other within the next hundred after `now` (ms since 1970).
 */
export function findRepeatFaults(repeat: Repeat, now: number): RepeatFault[] {
  if (!isTimezone(repeat.timezone))
    return [{ member: 'timezone', message: 'is no IANA time zone, such as Asia/Seoul or UTC' }];
  const unreadable = explainPattern(repeat);
  if (unreadable) return [{ member: 'cron', message: unreadable }];
  return findRunningInto(repeat, now);
}

/** The first window of `repeat` that starts at or after `notBefore` (ms since 1970); null when none ever comes. */
export function nextWindow(repeat: Repeat, notBefore: number): Window | null {
  const startsAt = nextStart(repeat, notBefore);
  return startsAt === null ? null : { startsAt, endsAt: startsAt + repeat.durationMinutes * MINUTE_MS };
}

/**
 * The window of an event that somebody asks for: what was said of it, and what `repeat` makes of the rest: the first that comes at or after
 * `now`, or one of its length. Null where it cannot be told.
 */
export function firstWindow(
  { startsAt, endsAt, repeat }: Partial<Window> & { readonly repeat: Repeat | null },
  now: number,
): Window | null {
  if (startsAt !== undefined && endsAt !== undefined) return { startsAt, endsAt };
  if (!repeat || endsAt !== undefined) return null;
  if (startsAt === undefined) return nextWindow(repeat, now);
  return { startsAt, endsAt: startsAt + repeat.durationMinutes * MINUTE_MS };
}

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return !/^[+-]/.test(name); // an offset is a zone to Node 22, and none to Node 20
  } catch {
    return false;
  }
}

/** Why it cannot be read, or null. */
function explainPattern({ cron, timezone }: Repeat): string | null {
  if (!FIELDS.test(cron))
    return 'must be a cron pattern of five fields with spaces between them, or six with the second first';
  try {
    new Cron(cron, { timezone });
    return null;
  } catch (error) {
    return `is no cron pattern: ${(error as Error).message.replace(/^CronPattern: /, '')}`;
  }
}

function findRunningInto(repeat: Repeat, now: number): RepeatFault[] {
  let start = nextStart(repeat, now);
  if (start === null) return [{ member: 'cron', message: 'never comes' }];
  for (let count = 1; count < OCCURRENCES_CHECKED; count++) {
    const following = nextStart(repeat, start + 1);
    if (following === null) return [];
    if (following < start + repeat.durationMinutes * MINUTE_MS) {
      const [first, second] = [start, following].map((at) => new Date(at).toISOString());
      const message = `is longer than the time between two occurrences (${first} and ${second})`;
      return [{ member: 'durationMinutes', message }];
    }
    start = following;
  }
  return [];
}

/**
 * Croner looks strictly after a moment, in whole seconds. Where the clock is put forward over the start of a pattern that names one
 * time of day, the occurrence begins when the gap ends; where it is put back over it, it begins once, the first time. Of a pattern
 * that names several, what the clock skips does not come, and what it shows twice comes twice.
 */
function nextStart({ cron, timezone }: Repeat, notBefore: number): number | null {
  const found = patternOf(cron, timezone).nextRun(new Date(notBefore - 1));
  return found ? found.getTime() : null;
}

const MAX_KEPT = 200;
const patterns = new Map<string, Cron>();

/** Reading a pattern costs more than asking it. */
function patternOf(cron: string, timezone: string): Cron {
  const name = `${timezone} ${cron}`;
  const known = patterns.get(name);
  if (known) return known;
  if (patterns.size >= MAX_KEPT) patterns.clear();
  const made = new Cron(cron, { timezone });
  patterns.set(name, made);
  return made;
}
