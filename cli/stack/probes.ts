import { connect } from 'node:net';

const PROBE_TIMEOUT_MS = 1_000;

/** Where a probe knocks. */
export interface Address {
  host: string;
  port: number;
}

/** Whether Redis answers PING; false while it loads its data. */
export function redisAnswers(address: Address): Promise<boolean> {
  return answers(address, 'PING\r\n', (reply) => reply.toString('latin1').startsWith('+PONG'));
}

/** Whether MariaDB greets: it does so only after its init file has run. */
export function mariadbGreets(address: Address): Promise<boolean> {
  const PROTOCOL_VERSION = 10;
  return answers(address, '', (reply) => reply.length > 4 && reply[4] === PROTOCOL_VERSION);
}

/** Whether RabbitMQ opens an AMQP 0-9-1 conversation. */
export function rabbitmqAnswers(address: Address): Promise<boolean> {
  const METHOD_FRAME = 1;
  return answers(address, 'AMQP\0\0\x09\x01', (reply) => reply[0] === METHOD_FRAME);
}

/** Whether anything accepts connections there. */
export function accepts(address: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address);
    const finish = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(PROBE_TIMEOUT_MS * 3, () => finish(false));
    socket.once('error', () => finish(false));
    socket.once('connect', () => finish(true));
  });
}

/** What `GET url` answers; status 0 when there is no answer. */
export async function httpGet(url: string): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS * 2) });
    return { status: response.status, text: await response.text() };
  } catch {
    return { status: 0, text: '' };
  }
}

function answers(address: Address, request: string, isGood: (reply: Buffer) => boolean): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address);
    const finish = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(PROBE_TIMEOUT_MS, () => finish(false));
    socket.once('error', () => finish(false));
    socket.once('close', () => finish(false));
    socket.once('connect', () => socket.write(request, 'latin1'));
    socket.once('data', (reply: Buffer) => finish(isGood(reply)));
  });
}
