import { type Static, Type } from '@sinclair/typebox';
import {
  MAX_ADJUSTMENT_UNITS,
  MAX_EVENT_NAME_CHARACTERS,
  MAX_HOLD_SECONDS,
  MAX_ITEMS_OF_EVENT,
  MAX_LIMIT_UNITS,
  MAX_PRICE_MINOR_UNITS,
  MAX_REASON_CHARACTERS,
  MAX_SKU_CHARACTERS,
  MAX_STOCK_UNITS,
  REASON_PATTERN,
  reasonRule,
  SKU_PATTERN,
  SKU_RULE,
} from '../domain/bounds.ts';
import { TIME_RULE } from '../domain/rfc3339.ts';

const MAX_CRON_CHARACTERS = 255;
const MAX_TIMEZONE_CHARACTERS = 64;
const MAX_DURATION_MINUTES = 525_600;

const Sku = Type.RegExp(new RegExp(SKU_PATTERN, 'u'), { maxLength: MAX_SKU_CHARACTERS, rule: SKU_RULE });

const text = (maxLength: number) =>
  Type.RegExp(new RegExp(REASON_PATTERN, 'u'), { maxLength, rule: reasonRule(maxLength) });

const Item = Type.Object(
  {
    sku: Sku,
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

/** The shape of `repeat`. */
export const RepeatBody = Type.Object(
  {
    cron: Type.String({
      maxLength: MAX_CRON_CHARACTERS,
      rule: `must be a cron pattern of at most ${MAX_CRON_CHARACTERS} characters`,
    }),
    timezone: Type.String({
      maxLength: MAX_TIMEZONE_CHARACTERS,
      rule: `must be the name of an IANA time zone, of at most ${MAX_TIMEZONE_CHARACTERS} characters`,
    }),
    durationMinutes: Type.Integer({
      minimum: 1,
      maximum: MAX_DURATION_MINUTES,
      rule: `must be a whole number from 1 to ${MAX_DURATION_MINUTES}`,
    }),
  },
  { additionalProperties: false },
);

const MEMBERS = {
  name: text(MAX_EVENT_NAME_CHARACTERS),
  startsAt: Type.Optional(Type.String({ maxLength: 64, rule: TIME_RULE })),
  endsAt: Type.Optional(Type.String({ maxLength: 64, rule: TIME_RULE })),
  // Its members are looked at apart: of a union only the whole is ever said to be wrong.
  repeat: Type.Optional(
    Type.Union([Type.Null(), Type.Record(Type.String(), Type.Unknown())], {
      rule: 'must be null or {cron,timezone,durationMinutes}',
    }),
  ),
  holdSeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_HOLD_SECONDS })),
  items: Type.Array(Item, { minItems: 1, maxItems: MAX_ITEMS_OF_EVENT }),
};

/** The shape of a sale event as somebody asks for it. */
export const EventBody = Type.Object(MEMBERS, { additionalProperties: false });
/** A value of that shape. */
export type EventBody = Static<typeof EventBody>;

/** The shape of a change of a scheduled event: what is absent stays. */
export const EventEditBody = Type.Partial(EventBody, {
  additionalProperties: false,
  minProperties: 1,
});
/** A value of that shape. */
export type EventEditBody = Static<typeof EventEditBody>;

/** The shape of a change of an open event's allotments. */
export const AllotmentsBody = Type.Object(
  {
    items: Type.Array(
      Type.Object(
        {
          sku: Sku,
          delta: Type.Integer({ minimum: -MAX_ADJUSTMENT_UNITS, maximum: MAX_ADJUSTMENT_UNITS }),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: MAX_ITEMS_OF_EVENT },
    ),
    reason: text(MAX_REASON_CHARACTERS),
  },
  { additionalProperties: false },
);
/** A value of that shape. */
export type AllotmentsBody = Static<typeof AllotmentsBody>;
