import type { RedisClient } from '../client.ts';
import { KEYS } from '../keys.ts';
import { callScript, loadScript } from '../script.ts';

export const rebuildPageScript = loadScript('rebuild-page');

/** As many values as `lua/rebuild-page.lua` takes; even, so that no pair is torn. */
export const MAX_VALUES_OF_PAGE = 7_800;

/** What a recovery writes under `key`: `values` is flat, what the command takes after its key. */
export interface RebuiltPage {
  readonly key: string;
  readonly command: 'UNLINK' | 'SET' | 'HSET' | 'ZADD';
  readonly values: readonly (string | Buffer)[];
}

/** The keys of `lua/rebuild-page.lua` for a page of `key`. */
export function rebuildPageKeys(key: string): string[] {
  return [KEYS.recovering, key];
}

/** Writes a page, in as many calls as it takes. Rejects with `FENCED` when the recovery `epoch` is not the one under way. */
export async function rebuildPage(redis: RedisClient, epoch: number, page: RebuiltPage): Promise<void> {
  const { key, command, values } = page;
  if (values.length === 0 && command !== 'UNLINK') return;
  for (let at = 0; at === 0 || at < values.length; at += MAX_VALUES_OF_PAGE) {
    const args = [epoch, command, ...values.slice(at, at + MAX_VALUES_OF_PAGE)];
    await callScript(redis, rebuildPageScript, { keys: rebuildPageKeys(key), args });
  }
}
