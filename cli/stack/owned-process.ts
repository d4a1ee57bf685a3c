import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf, StackError } from './stack-error.ts';
import { forget, marked, STAGE, watch } from './watchdog.ts';

/** How a process ended: an exit code, or the signal that ended it. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** What to start. */
export interface ProcessPlan {
  /** What people call it: `redis`. */
  name: string;
  command: string;
  args: string[];
  /** The whole environment; this process's own when absent. */
  env?: NodeJS.ProcessEnv | undefined;
  cwd?: string | undefined;
  /** Standard output and error are appended here. */
  logFile: string;
  /** See STAGE in watchdog.ts; a server when absent. */
  stage?: number | undefined;
  /** Milliseconds between SIGTERM and SIGKILL when it is stopped; 15,000 when absent. */
  patienceMs?: number | undefined;
}

/** A running process that leads a process group of its own and ends, at the latest, with this process. */
export interface OwnedProcess {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** Resolves, never rejects, when the process has ended. */
  readonly exited: Promise<Exit>;
  /** Sends a signal to the whole group; nothing happens when it has ended. */
  kill(signal: NodeJS.Signals): void;
  /** SIGTERM, and SIGKILL when patience is over; resolves when it has ended. May be called again. */
  stop(): Promise<void>;
}

/**
 * Starts a program in a process group of its own, under the watchdog.
 *
 * @throws StackError when the program cannot be executed
 */
export async function spawnOwned(plan: ProcessPlan): Promise<OwnedProcess> {
  const child = spawnChild(plan);
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  if (child.pid !== undefined) watch(child.pid, plan.name, plan.stage ?? STAGE.server);
  const pid = await startedPid(child, plan);
  return ownedProcess(plan, pid, cleanEnd(pid, exited));
}

/** "exit code 1" or "signal SIGKILL". */
export function describeExit({ code, signal }: Exit): string {
  return signal ? `signal ${signal}` : `exit code ${code}`;
}

function spawnChild(plan: ProcessPlan): ChildProcess {
  mkdirSync(dirname(plan.logFile), { recursive: true });
  const log = openSync(plan.logFile, 'a', 0o600);
  try {
    return spawn(plan.command, plan.args, {
      detached: true,
      stdio: ['ignore', log, log],
      env: marked(plan.env ?? process.env),
      cwd: plan.cwd,
    });
  } finally {
    closeSync(log);
  }
}

async function startedPid(child: ChildProcess, plan: ProcessPlan): Promise<number> {
  try {
    await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  } catch (error) {
    throw new StackError(`${plan.name}: ${plan.command} cannot be started: ${messageOf(error)}`);
  }
  return child.pid as number;
}

async function cleanEnd(pid: number, exited: Promise<Exit>): Promise<Exit> {
  const exit = await exited;
  signalGroup(pid, 'SIGKILL'); // whatever of its group outlived the leader
  forget(pid);
  return exit;
}

function ownedProcess(plan: ProcessPlan, pid: number, exited: Promise<Exit>): OwnedProcess {
  let running = true;
  exited.then(() => {
    running = false;
  });
  const kill = (signal: NodeJS.Signals) => {
    if (running) signalGroup(pid, signal);
  };
  const stop = async () => {
    kill('SIGTERM');
    const timer = setTimeout(() => kill('SIGKILL'), plan.patienceMs ?? 15_000);
    await exited;
    clearTimeout(timer);
  };
  return { name: plan.name, pid, logFile: plan.logFile, exited, kill, stop };
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // it ended meanwhile
  }
}
