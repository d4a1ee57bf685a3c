/** Date, time with seconds, offset: a time without an offset would be another instant on another machine. */
const TIME = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?(?:[Zz]|[+-](\d\d):(\d\d))$/;

/** MariaDB keeps no later time, and RFC 3339 has none: years have four digits. */
export const LATEST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

export const TIME_RULE = 'must be an RFC 3339 time with seconds and an offset, from 1970 to 9999';

/**
 * Reads a time as RFC 3339 writes it, in ms since 1970. Null for anything else, for days that the calendar does not
 * have (30 February), and for what is not between 1970 and 9999 in UTC.
 */
export function readTime(text: string): number | null {
  const match = TIME.exec(text);
  if (!match) return null;
  const [year, month, day, hour, minute, second, offsetHour, offsetMinute] = match.slice(1).map(Number);
  const inMonth = new Date(Date.UTC(year!, month! - 1, day!));
  const onCalendar = inMonth.getUTCMonth() === month! - 1 && inMonth.getUTCDate() === day;
  const onClock = hour! < 24 && minute! < 60 && second! < 60;
  const inOffset = !(offsetHour! > 23) && !(offsetMinute! > 59); // NaN where it is Z
  const ms = Date.parse(text.toUpperCase());
  return onCalendar && onClock && inOffset && ms >= 0 && ms <= LATEST_MS ? ms : null;
}
