import { EventEmitter, once } from 'node:events';
import { expect, test } from 'vitest';
import type { Exit, OwnedProcess } from '../../cli/stack/owned-process.ts';
import { Supervisor } from '../../cli/stack/supervisor.ts';

/** A process that only a test can end. */
function pretended(pid: number): OwnedProcess & { die(): void } {
  let die = () => {};
  const exited = new Promise<Exit>((resolve) => {
    die = () => resolve({ code: 1, signal: null });
  });
  const stop = async () => die();
  return { name: 'pretended', pid, logFile: '', exited, kill: die, stop, die };
}

test('a process that keeps dying is started after growing pauses, a failed start included', async () => {
  const changes = new EventEmitter();
  const starts: number[] = [];
  const said: string[] = [];
  const supervisor = new Supervisor({
    name: 'pretended',
    start: async () => {
      starts.push(Date.now());
      if (starts.length === 3) throw new Error('no start this time');
      return pretended(starts.length);
    },
    say: (line) => said.push(line),
    onChange: () => changes.emit('change'),
  });
  const first = await supervisor.start();
  supervisor.keep();
  for (const pid of [2, 4]) {
    supervisor.current?.kill('SIGKILL');
    while (supervisor.current?.pid !== pid) await once(changes, 'change');
  }
  await supervisor.stop();

  expect(first.pid).toBe(1);
  expect(supervisor.current).toBeUndefined();
  const pauses = starts.slice(1).map((at, index) => at - (starts[index] as number));
  expect(pauses[0]).toBeGreaterThanOrEqual(195);
  expect(pauses[1]).toBeGreaterThanOrEqual(395);
  expect(pauses[2]).toBeGreaterThanOrEqual(795);
  expect(said).toContain('no start this time');
  expect(said[0]).toBe('pretended died (exit code 1); starting it again');
});

test('a stop while it waits for the next start ends at once', async () => {
  const supervisor = new Supervisor({ name: 'pretended', start: async () => pretended(1) });
  const first = await supervisor.start();
  supervisor.keep();
  first.die();
  await first.exited;
  await supervisor.stop();
  expect(supervisor.current).toBeUndefined();
});
