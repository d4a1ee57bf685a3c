import { StackError } from './stack-error.ts';

/** The demo's sale event, and when its next window begins or began (RFC 3339). */
export interface DemoEvent {
  readonly id: string;
  readonly status: string;
  readonly startsAt: string;
}

const NAME = 'Demo sale: five minutes, again every ten';
const OPENS_AFTER_MS = 60_000;
const LASTS_MINUTES = 5;
const REPEATS_AFTER_MINUTES = 10;
const MINUTE_MS = 60_000;
const ITEMS = [
  { sku: '23084', stock: 200, price: 149, limitPerUser: 5 },
  { sku: '22086', stock: 100, price: 99, limitPerUser: 2 },
  { sku: '85123A', stock: 50, price: 199, limitPerUser: null },
];
const WITHIN_MS = 10_000;

/**
 * Has the demo's sale event open a minute from now (`now` in ms since 1970), for five minutes, and again every ten minutes after that.
 * One of an earlier run is moved to then; one that is open stays as it is.
 *
 * @throws StackError when the api refuses
 */
export async function scheduleDemoEvent(
  { api, operatorToken }: { readonly api: string; readonly operatorToken: string },
  now: number,
): Promise<DemoEvent> {
  const ask = <Answer>(method: string, path: string, body?: unknown) =>
    askApi<Answer>(`${api}/api/v1/events${path}`, { method, operatorToken, body });
  const { items } = await ask<{ items: (DemoEvent & { name: string })[] }>('GET', '');
  const known = items.find(({ name, status }) => name === NAME && ['scheduled', 'open'].includes(status));
  if (known?.status === 'open') return known;
  const times = timesOf(now);
  if (known) return await ask<DemoEvent>('PATCH', `/${known.id}`, times);
  return await ask<DemoEvent>('POST', '', { name: NAME, holdSeconds: 0, items: ITEMS, ...times });
}

/** The first window is at a whole second, and so are those of the pattern that goes on from there. */
function timesOf(now: number) {
  const start = new Date(Math.ceil((now + OPENS_AFTER_MS) / 1_000) * 1_000);
  const end = new Date(start.getTime() + LASTS_MINUTES * MINUTE_MS);
  const minute = start.getUTCMinutes() % REPEATS_AFTER_MINUTES;
  const cron = `${start.getUTCSeconds()} ${minute}-59/${REPEATS_AFTER_MINUTES} * * * *`;
  return {
    startsAt: start.toISOString(),
    endsAt: end.toISOString(),
    repeat: { cron, timezone: 'UTC', durationMinutes: LASTS_MINUTES },
  };
}

async function askApi<Answer>(
  url: string,
  { method, operatorToken, body }: { method: string; operatorToken: string; body: unknown },
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: { Authorization: `Bearer ${operatorToken}`, 'Content-Type': 'application/json' },
    signal: AbortSignal.timeout(WITHIN_MS),
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as Answer & { detail?: string };
  if (response.ok) return answer;
  throw new StackError(`${method} ${url} answers ${response.status}: ${answer.detail ?? ''}`);
}
