import { setTimeout as pause } from 'node:timers/promises';
import { COULD_NOT_COMPARE, compareOnce, DRIFT } from './compare.ts';
import { describeCut, describeDrifts } from './describe.ts';

export interface WatchOptions {
  readonly data: string;
  readonly everySeconds: number;
  readonly json: boolean;
}

/** Compares again and again, a line a round, until SIGINT or SIGTERM. Resolves to the exit code of the last round. */
export async function watch({ data, everySeconds, json }: WatchOptions): Promise<number> {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());
  let code = COULD_NOT_COMPARE;
  while (!stopping.signal.aborted) {
    const round = await compareRound(data, json);
    code = round.code;
    console.log(json ? round.text : `${new Date().toISOString()} ${round.text}`);
    await pause(1_000 * everySeconds, undefined, { signal: stopping.signal }).catch(() => undefined);
  }
  return code;
}

/** A round that could not compare does not end the watch: what is away comes back. */
async function compareRound(data: string, json: boolean): Promise<{ code: number; text: string }> {
  const begun = performance.now();
  try {
    const { reconciliation } = await compareOnce(data);
    const code = reconciliation.consistent ? 0 : DRIFT;
    if (json) return { code, text: JSON.stringify(reconciliation) };
    const took = `${((performance.now() - begun) / 1_000).toFixed(1)} s`;
    return reconciliation.consistent
      ? { code, text: `consistent (${took}): ${describeCut(reconciliation)}` }
      : { code, text: `(${took}) ${describeDrifts(reconciliation)}: bootakhae reconcile shows them` };
  } catch (error) {
    const { message } = error as Error;
    return { code: COULD_NOT_COMPARE, text: json ? JSON.stringify({ error: message }) : message };
  }
}
