import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { packageRoot } from '../../engine/runtime/package-root.ts';
import { identify, type ProcessIdentity } from './process-identity.ts';

/** The order in which an orphaned stack is ended: programs, then the servers they use, then their helpers. */
export const STAGE = { program: 0, server: 1, helper: 2 } as const;

/** A process that leads a group of its own and that must not outlive this process. */
export interface WatchedProcess extends ProcessIdentity {
  name: string;
  stage: number;
}

const RESTART_DELAY_MS = 100;
/** Carried in the environment of every process started here, so that one that left its group is found too. */
const MARK_NAME = 'BOOTAKHAE_STARTED_BY';
const mark = `${process.pid}-${randomBytes(9).toString('hex')}`;

const watched = new Map<number, WatchedProcess>();
const files = new Set<string>();
const listeners = new Set<() => void>();
let reaper: ChildProcess | undefined;

/** The environment entry, `NAME=value`, that marks a process as started by this one. */
export function markOfOurs(): string {
  return `${MARK_NAME}=${mark}`;
}

/** `environment` with the mark of this process in it. */
export function marked(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...environment, [MARK_NAME]: mark };
}

/** From now on the group led by `pid` ends when this process ends, SIGKILL included. */
export function watch(pid: number, name: string, stage: number): void {
  const identity = identify(pid);
  if (!identity) return; // already dead: nothing to watch
  const entry = { ...identity, name, stage };
  watched.set(pid, entry);
  tell({ watch: entry });
  changed();
}

/** The group led by `pid` has been ended. */
export function forget(pid: number): void {
  watched.delete(pid);
  if (reaper) tell({ forget: pid });
  changed();
}

/** `path` is removed when this process dies without {@link keepAfterDeath}. */
export function removeAfterDeath(path: string): void {
  files.add(path);
  tell({ file: path });
}

/** Takes {@link removeAfterDeath} back. */
export function keepAfterDeath(path: string): void {
  files.delete(path);
  if (reaper) tell({ unfile: path });
}

/** The processes that are watched now. */
export function watchedProcesses(): WatchedProcess[] {
  return [...watched.values()];
}

/** The watchdog itself; undefined before the first process is watched. */
export function watchdogProcess(): ProcessIdentity | undefined {
  return reaper?.pid === undefined ? undefined : identify(reaper.pid);
}

/** Calls `listener` whenever the watched processes or the watchdog change; the answer ends that. */
export function onWatchChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Ends the watchdog when there is nothing to watch, so that a process that has cleaned up leaves nothing at all. */
export async function dismissWatchdog(): Promise<void> {
  const child = reaper;
  if (!child || watched.size > 0 || files.size > 0) return;
  reaper = undefined;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.ref();
  child.stdin?.end();
  await ended;
}

/** SIGKILL to every watched group, at once. */
export function killAllWatched(): void {
  for (const { pid } of watched.values()) {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // it ended meanwhile
    }
  }
}

/**
 * Ends processes that a former launcher left behind, and returns when they are gone.
 *
 * @param orphans what it had started; only processes of which it is certain that they are still the same
 * @param formerMark its {@link markOfOurs}, `NAME=value`
 */
export async function endOrphans(orphans: WatchedProcess[], formerMark: string): Promise<void> {
  const child = spawnReaper();
  const ended = new Promise((resolve) => child.once('exit', resolve));
  send(child, { mark: formerMark });
  for (const orphan of orphans) send(child, { watch: orphan });
  child.stdin?.end();
  await ended;
}

function changed(): void {
  for (const listener of listeners) listener();
}

function tell(message: object): void {
  if (reaper) send(reaper, message);
  else startWatchdog(); // it is told everything known by now, this message included
}

function startWatchdog(): void {
  const child = spawnReaper();
  reaper = child;
  // Neither the process nor the pipe may keep a finished program from exiting.
  child.unref();
  (child.stdin as unknown as { unref?: () => void })?.unref?.();
  child.once('exit', () => {
    if (reaper === child) reaper = undefined;
    if (watched.size > 0 || files.size > 0) setTimeout(replaceWatchdog, RESTART_DELAY_MS).unref();
  });
  send(child, { mark: markOfOurs() });
  for (const entry of watched.values()) send(child, { watch: entry });
  for (const file of files) send(child, { file });
}

function replaceWatchdog(): void {
  if (!reaper) startWatchdog();
  changed();
}

function spawnReaper(): ChildProcess {
  const script = join(packageRoot, 'cli/stack/reaper.mjs');
  const child = spawn(process.execPath, [script], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
    env: { PATH: process.env.PATH },
  });
  child.on('error', () => {});
  child.stdin?.on('error', () => {}); // it died: its exit starts another
  return child;
}

function send(child: ChildProcess, message: object): void {
  child.stdin?.write(`${JSON.stringify(message)}\n`);
}
