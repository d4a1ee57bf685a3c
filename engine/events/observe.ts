import type { Broker } from '../broker/broker.ts';
import type { Heartbeat } from '../processes/heartbeat.ts';
import type { ProcessReport } from '../processes/report.ts';
import type { Samples } from '../runtime/metrics-page.ts';
import { VERSION } from '../runtime/version.ts';

type Connection = Pick<Broker, 'isConnected'>;

/** The figures of a scheduler for `/metrics`. */
export function sampleScheduler({ isConnected }: Connection, { breakers }: Heartbeat): Samples {
  const states = Object.entries({ ...breakers, ...breakersOf({ isConnected }) });
  return {
    bootakhae_build_info: new Map([[VERSION, 1]]),
    bootakhae_connection_open: new Map(states.map(([server, state]) => [server, state === 'closed' ? 1 : 0])),
    bootakhae_broker_connected: isConnected ? 1 : 0,
  };
}

/** What a scheduler says of itself with each heartbeat. */
export function reportScheduler(broker: Connection): Partial<ProcessReport> {
  return { breakers: breakersOf(broker) };
}

function breakersOf({ isConnected }: Connection) {
  return { rabbitmq: isConnected ? ('closed' as const) : ('open' as const) };
}
