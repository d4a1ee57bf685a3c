import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConfigError } from '../config/environment.ts';
import type { MetricsPage } from './metrics-page.ts';

export interface ProbeServerOptions {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  readonly metrics: MetricsPage;
  /** What the process lacks to do its work; empty = nothing. */
  readonly reasons: () => readonly string[];
}

/** Where a process that has no other HTTP answers those who watch it. */
export interface ProbeServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Answers `/healthz`, `/readyz` and `/metrics`. Rejects with `ConfigError` where the port is taken. */
export async function startProbeServer(options: ProbeServerOptions): Promise<ProbeServer> {
  const { host, port } = options;
  const server = createServer((request, response) => void answer(options, request.url ?? '', response));
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch {
    throw new ConfigError(
      `cannot listen on ${host}:${port}: is the port taken? (METRICS_HOST, METRICS_PORT)`,
    );
  }
  const bound = (server.address() as AddressInfo).port;
  return { url: `http://${host}:${bound}`, close: () => close(server) };
}

async function answer(options: ProbeServerOptions, path: string, response: ServerResponse): Promise<void> {
  if (path === '/healthz') return reply(response, 200, { status: 'alive' });
  if (path === '/readyz') {
    const reasons = options.reasons();
    return reasons.length === 0
      ? reply(response, 200, { status: 'ready' })
      : reply(response, 503, { status: 'not ready', reasons });
  }
  if (path !== '/metrics') return reply(response, 404, { status: 'no such path' });
  try {
    const text = await options.metrics.render();
    response.writeHead(200, { 'Content-Type': options.metrics.contentType }).end(text);
  } catch (error) {
    reply(response, 500, { status: `the figures could not be read: ${(error as Error).message}` });
  }
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
