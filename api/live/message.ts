/** One message of a stream of server-sent events; the stream's reader has nothing before it has the empty line at its end. */
export interface Message {
  /** `id:`, which a reader sends back as Last-Event-ID when it has lost its stream. */
  readonly id?: string;
  readonly event: string;
  /** Sent as JSON, which has no line breaks. */
  readonly data: unknown;
}

/** A message as it goes over the wire. */
export function writeMessage({ id, event, data }: Message): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** How long a reader waits, ms, before it asks for a stream again that it has lost. */
export function writeRetry(ms: number): string {
  return `retry: ${ms}\n\n`;
}

/** A comment, which keeps proxies from taking a quiet stream for a dead one. */
export const HEARTBEAT = Buffer.from(': \n\n');
