import type { Route } from '../http/route.ts';

export interface MetricsOptions {
  /** The page for Prometheus; made when it is asked for. */
  readonly metrics: { readonly contentType: string; render(): Promise<string> };
}

/** `GET /metrics`: the figures of this process, as Prometheus reads them. */
export function metricsRoute(services: MetricsOptions): Route {
  return {
    method: 'get',
    path: '/metrics',
    access: 'anyone',
    body: null,
    async handle() {
      const { metrics } = services;
      return { status: 200, contentType: metrics.contentType, body: await metrics.render() };
    },
  };
}
