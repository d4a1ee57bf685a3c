import { Type } from '@sinclair/typebox';

/** What the order costs as its user was shown it, in minor units: where it would cost anything else it is refused. */
export const ExpectedTotal = Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }));
