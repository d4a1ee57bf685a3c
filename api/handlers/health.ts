import { notAccepting } from '../http/reply.ts';
import type { Route } from '../http/route.ts';

/** `GET /healthz`: 200 as long as the process answers at all. */
export function healthRoute(): Route {
  return {
    method: 'get',
    path: '/healthz',
    access: 'anyone',
    body: null,
    handle: async () => ({ status: 200, body: { status: 'alive' } }),
  };
}

export interface ReadinessOptions {
  /** Why orders are refused now; empty = they are accepted. */
  readonly reasons: () => readonly string[];
}

/** `GET /readyz`: 200 when orders are accepted, else 503 with the reasons. */
export function readinessRoute({ reasons }: ReadinessOptions): Route {
  return {
    method: 'get',
    path: '/readyz',
    access: 'anyone',
    body: null,
    async handle() {
      if (reasons().length > 0) throw notAccepting(reasons().join('; '), { reasons: reasons() });
      return { status: 200, body: { status: 'ready' } };
    },
  };
}
