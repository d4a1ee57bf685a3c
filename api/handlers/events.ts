import { type Static, Type } from '@sinclair/typebox';
import {
  MAX_EVENT_NAME_CHARACTERS,
  MAX_HOLD_SECONDS,
  MAX_ITEMS_OF_EVENT,
  MAX_LIMIT_UNITS,
  MAX_PRICE_MINOR_UNITS,
  MAX_SKU_CHARACTERS,
  MAX_STOCK_UNITS,
  REASON_PATTERN,
  SKU_PATTERN,
  SKU_RULE,
} from '../../engine/domain/bounds.ts';
import type { EventStep, SaleEvent } from '../../engine/domain/sale-event.ts';
import type { EventDraft, EventResult, KeyedOptions } from '../../engine/events/sale-events.ts';
import { type FieldError, invalidRequest, Problem } from '../http/problem.ts';
import type { Request, Route } from '../http/route.ts';
import { replyToEvent, showEvent } from './event-replies.ts';
import { readTime, TIME_RULE } from './rfc3339.ts';

const Item = Type.Object(
  {
    sku: Type.RegExp(new RegExp(SKU_PATTERN, 'u'), { maxLength: MAX_SKU_CHARACTERS, rule: SKU_RULE }),
    stock: Type.Integer({ minimum: 1, maximum: MAX_STOCK_UNITS }),
    price: Type.Integer({ minimum: 0, maximum: MAX_PRICE_MINOR_UNITS }),
    limitPerUser: Type.Optional(
      Type.Union([Type.Integer({ minimum: 1, maximum: MAX_LIMIT_UNITS }), Type.Null()], {
        rule: `must be a whole number from 1 to ${MAX_LIMIT_UNITS}, or null for no limit`,
      }),
    ),
  },
  { additionalProperties: false },
);

const Body = Type.Object(
  {
    name: Type.RegExp(new RegExp(REASON_PATTERN, 'u'), { maxLength: MAX_EVENT_NAME_CHARACTERS }),
    startsAt: Type.String({ maxLength: 64, rule: TIME_RULE }),
    endsAt: Type.String({ maxLength: 64, rule: TIME_RULE }),
    repeat: Type.Optional(Type.Null()),
    holdSeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_HOLD_SECONDS })),
    items: Type.Array(Item, { minItems: 1, maxItems: MAX_ITEMS_OF_EVENT }),
  },
  { additionalProperties: false },
);

export interface EventOptions {
  readonly nowMs: () => number;
  readonly saleEvents: {
    list(): Promise<SaleEvent[]>;
    find(id: string): Promise<SaleEvent | null>;
    create(draft: EventDraft, options: KeyedOptions): Promise<EventResult>;
    step(id: string, step: EventStep, options: KeyedOptions): Promise<EventResult>;
  };
}

/** `GET /api/v1/events`: all sale events, those that start first first. */
export function listEventsRoute({ saleEvents }: EventOptions): Route {
  return {
    method: 'get',
    path: '/api/v1/events',
    access: 'anyone',
    body: null,
    handle: async () => ({ status: 200, body: { items: (await saleEvents.list()).map(showEvent) } }),
  };
}

/** `GET /api/v1/events/:id`. */
export function showEventRoute({ saleEvents }: EventOptions): Route {
  return {
    method: 'get',
    path: '/api/v1/events/:id',
    access: 'anyone',
    body: null,
    async handle({ parameters: [id = ''] }) {
      const event = await saleEvents.find(id);
      if (!event) throw new Problem('not_found', 'there is no such sale event');
      return { status: 200, body: showEvent(event) };
    },
  };
}

/** `POST /api/v1/events`: schedules a sale event. */
export function createEventRoute({ saleEvents, nowMs }: EventOptions): Route {
  return {
    method: 'post',
    path: '/api/v1/events',
    access: 'operator',
    body: Body,
    async handle({ body, idempotencyToken: token }: Request) {
      const draft = toDraft(body as Static<typeof Body>);
      const errors = findErrors(draft, nowMs());
      if (errors.length > 0) throw invalidRequest(errors);
      return replyToEvent(await saleEvents.create(draft, { token }), 201);
    },
  };
}

/** `POST /api/v1/events/:id/open`, `…/close` and `…/cancel`: now, by hand. */
export function stepEventRoutes({ saleEvents }: EventOptions): Route[] {
  return (['open', 'close', 'cancel'] as const).map((step) => ({
    method: 'post',
    path: `/api/v1/events/:id/${step}`,
    access: 'operator',
    body: null,
    async handle({ parameters: [id = ''], idempotencyToken: token }: Request) {
      return replyToEvent(await saleEvents.step(id, step, { token }), 200);
    },
  }));
}

function toDraft({ name, startsAt, endsAt, holdSeconds = 0, items }: Static<typeof Body>): EventDraft {
  return {
    name,
    startsAt: readTime(startsAt) ?? Number.NaN,
    endsAt: readTime(endsAt) ?? Number.NaN,
    holdSeconds,
    repeat: null,
    items: items.map((item) => ({ ...item, limitPerUser: item.limitPerUser ?? null })),
  };
}

function findErrors({ startsAt, endsAt, items }: EventDraft, now: number): FieldError[] {
  const errors: FieldError[] = [];
  if (Number.isNaN(startsAt)) errors.push({ path: '/startsAt', message: TIME_RULE });
  if (Number.isNaN(endsAt)) errors.push({ path: '/endsAt', message: TIME_RULE });
  if (endsAt <= startsAt) errors.push({ path: '/endsAt', message: 'must be after startsAt' });
  if (endsAt <= now) errors.push({ path: '/endsAt', message: 'must be in the future' });
  const named = new Set<string>();
  items.forEach(({ sku }, at) => {
    if (named.has(sku)) errors.push({ path: `/items/${at}/sku`, message: 'is named twice' });
    named.add(sku);
  });
  return errors;
}
