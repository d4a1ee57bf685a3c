import { Type } from '@sinclair/typebox';
import type { EventStep } from '../../engine/domain/event-decisions.ts';
import { byStart, EVENT_STATUSES, type SaleEvent } from '../../engine/domain/sale-event.ts';
import { AllotmentsBody, EventBody, EventEditBody } from '../../engine/events/event-body.ts';
import {
  type Reading,
  readAllotments,
  readEventDraft,
  readEventEdit,
} from '../../engine/events/event-draft.ts';
import { presentEvent } from '../../engine/events/present-event.ts';
import type {
  AllotmentAdjustment,
  EventDraft,
  EventEdit,
  EventResult,
  KeyedOptions,
} from '../../engine/events/sale-events.ts';
import { firstOfEachPath, invalidRequest } from '../http/problem.ts';
import type { Request, Route } from '../http/route.ts';
import { noSuchEvent, replyToEvent } from './event-replies.ts';
import { PageLimit, pageCursor, pageOf } from './page.ts';

export interface EventOptions {
  readonly nowMs: () => number;
  readonly saleEvents: {
    list(): Promise<SaleEvent[]>;
    find(id: string): Promise<SaleEvent | null>;
    create(draft: EventDraft, options: KeyedOptions): Promise<EventResult>;
    edit(id: string, edit: EventEdit): Promise<EventResult>;
    adjust(id: string, adjustment: AllotmentAdjustment, options: KeyedOptions): Promise<EventResult>;
    step(id: string, step: EventStep, options: KeyedOptions): Promise<EventResult>;
    replay(token: string): Promise<EventResult | null>;
  };
}

const DEFAULT_LIMIT = '100';
/** The start of an event in ms since 1970, and its id. */
const CURSOR = /^(-?\d{1,16})\.([\w-]{1,64})$/;

/** `GET /api/v1/events?status=&limit=&cursor=`: the sale events, or those of a status, those that start first first. */
export function listEventsRoute({ saleEvents }: EventOptions): Route {
  return {
    method: 'get',
    path: '/api/v1/events',
    access: 'anyone',
    query: Type.Object({
      status: Type.Optional(
        Type.RegExp(new RegExp(`^(${EVENT_STATUSES.join('|')})$`), {
          rule: `must be one of ${EVENT_STATUSES.join(', ')}`,
        }),
      ),
      limit: PageLimit,
      cursor: pageCursor(CURSOR),
    }),
    body: null,
    async handle({ query: { status, limit = DEFAULT_LIMIT, cursor } }) {
      const [, startsAt, id = ''] = CURSOR.exec(cursor ?? '') ?? [];
      const last = startsAt === undefined ? null : { startsAt: Number(startsAt), id };
      const asked = (await saleEvents.list()).filter(
        (event) =>
          (status === undefined || event.status === status) && (last === null || byStart(event, last) > 0),
      );
      const page = pageOf(asked, Number(limit), (event) => `${event.startsAt}.${event.id}`);
      return { status: 200, body: { ...page, items: page.items.map(presentEvent) } };
    },
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
      if (!event) throw noSuchEvent();
      return { status: 200, body: presentEvent(event) };
    },
  };
}

/** `POST /api/v1/events`: schedules a sale event. */
export function createEventRoute({ saleEvents, nowMs }: EventOptions): Route {
  return {
    method: 'post',
    path: '/api/v1/events',
    access: 'operator',
    body: EventBody,
    async handle({ body, idempotencyToken: token }: Request) {
      const reading = readEventDraft(body as EventBody, nowMs());
      // What was asked for in time may be asked for again when it is over: the key says that it was done.
      const earlier = 'faults' in reading && token !== undefined ? await saleEvents.replay(token) : null;
      if (earlier) return replyToEvent(earlier, 201);
      return replyToEvent(await saleEvents.create(soundOf(reading), { token }), 201);
    },
  };
}

/** `PATCH /api/v1/events/:id`: changes a sale event that is scheduled; what is absent stays. */
export function editEventRoute({ saleEvents, nowMs }: EventOptions): Route {
  return {
    method: 'patch',
    path: '/api/v1/events/:id',
    access: 'operator',
    body: EventEditBody,
    async handle({ parameters: [id = ''], body }: Request) {
      const event = await saleEvents.find(id);
      if (!event) throw noSuchEvent();
      const edit = soundOf(readEventEdit(body as EventEditBody, event, nowMs()));
      return replyToEvent(await saleEvents.edit(id, edit), 200);
    },
  };
}

/** `POST /api/v1/events/:id/adjustments`: more units for an open event, or less, out of or into the regular ones. */
export function adjustEventRoute({ saleEvents }: EventOptions): Route {
  return {
    method: 'post',
    path: '/api/v1/events/:id/adjustments',
    access: 'operator',
    body: AllotmentsBody,
    async handle({ parameters: [id = ''], body, idempotencyToken: token }: Request) {
      const adjustment = soundOf(readAllotments(body as AllotmentsBody));
      return replyToEvent(await saleEvents.adjust(id, adjustment, { token }), 200);
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

/** What was asked for. Throws 400 `invalid_request` where something is wrong with it. */
function soundOf<Asked>(reading: Reading<Asked>): Asked {
  if ('faults' in reading) throw invalidRequest(firstOfEachPath(reading.faults));
  return reading.asked;
}
