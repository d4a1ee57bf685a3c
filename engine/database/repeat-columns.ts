import type { Repeat } from '../domain/recurrence.ts';

/** When a sale event comes again, as its row has it: all of them null where it does not. */
export interface RepeatColumns {
  readonly repeat_cron: string | null;
  readonly repeat_timezone: string | null;
  readonly repeat_minutes: number | null;
}

/** What the columns say. */
export function repeatOf({
  repeat_cron: cron,
  repeat_timezone: timezone,
  repeat_minutes: durationMinutes,
}: RepeatColumns): Repeat | null {
  if (cron === null || timezone === null || durationMinutes === null) return null;
  return { cron, timezone, durationMinutes };
}
