import { type Logger, pino } from 'pino';

export type { Logger };

/** A logger that writes one JSON object a line to standard output. `process` is which of ours it is. */
export function createLogger(process: string, level: string): Logger {
  return pino({ level, base: { process }, timestamp: pino.stdTimeFunctions.isoTime });
}
