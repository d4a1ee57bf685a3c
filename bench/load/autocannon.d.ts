/** What the bench uses of autocannon 8, its clients' fields included; the package has no types of its own. */
declare module 'autocannon' {
  import type { EventEmitter } from 'node:events';

  export interface AutocannonRequest {
    method: string;
    path: string;
    headers: Record<string, string>;
    body: string;
  }

  /** One connection. The fields after `setRequests` are its own bookkeeping. */
  export interface AutocannonClient {
    setRequests(requests: AutocannonRequest[]): void;
    reqsMade: number;
    /** After that many requests the connection closes itself once the last is answered. */
    responseMax: number | undefined;
    /** Requests allowed in the current second, and those made in it. */
    rate: number | undefined;
    reqsMadeThisSecond: number;
    paused: boolean | undefined;
    _doRequest(): void;
  }

  export interface AutocannonOptions {
    /** Connections are spread over several. */
    url: string | readonly string[];
    connections: number;
    pipelining: 1;
    /** Seconds. */
    duration: number;
    /** Seconds until a request without an answer counts as an error. */
    timeout: number;
    setupClient(client: AutocannonClient): void;
  }

  export interface AutocannonResult {
    errors: number;
    timeouts: number;
  }

  export interface AutocannonRun extends EventEmitter, Promise<AutocannonResult> {
    on(
      event: 'response',
      listener: (client: AutocannonClient, status: number, bytes: number, milliseconds: number) => void,
    ): this;
    on(event: string, listener: () => void): this;
  }

  export default function autocannon(options: AutocannonOptions): AutocannonRun;
}
