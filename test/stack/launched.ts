import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { StackDescription } from '../../cli/stack/stack-file.ts';
import { processesWith } from './process-table.ts';
import { until } from './temporary.ts';

const LAUNCHER = fileURLToPath(new URL('launcher.mjs', import.meta.url));
const everyone: Launched[] = [];

/** `bootakhae up` with stand-in programs in a process of its own. */
export class Launched {
  readonly data: string;
  readonly exited: Promise<number | null>;
  output = '';
  readonly #child: ChildProcess;
  /** Every process below it carries this, whoever its parent is by now. */
  readonly #mark = `TEST_LAUNCH=${randomUUID()}`;

  constructor(data: string, options: Record<string, unknown> = {}, environment: NodeJS.ProcessEnv = {}) {
    this.data = data;
    const words = Object.entries(options).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
    const [name, value] = this.#mark.split('=') as [string, string];
    this.#child = spawn(process.execPath, [LAUNCHER, data, ...words], {
      env: { ...process.env, ...environment, [name]: value },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.output += chunk;
      });
    }
    this.exited = new Promise((resolve) => this.#child.once('exit', resolve));
    everyone.push(this);
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Waits until the introduction is printed; fails with what was printed when the launcher ends before. */
  async up(): Promise<StackDescription> {
    await until('the stack is up', () => this.output.includes('Ctrl-C stops') || this.#hasEnded(), 90_000);
    if (this.#hasEnded()) throw new Error(this.output);
    return this.description() as StackDescription;
  }

  description(): StackDescription | undefined {
    const file = join(this.data, 'stack.json');
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as StackDescription) : undefined;
  }

  /** What still lives of it, or of another one on the same data: the launcher, the servers, the programs. */
  left(): string[] {
    return processesWith(this.#mark, this.data).map((row) => `${row.pid} ${row.command}`);
  }

  #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}

/** Ends whatever a failed test has left running. */
export async function endEveryone(): Promise<void> {
  const all = everyone.splice(0);
  for (const one of all) one.signal('SIGTERM');
  await Promise.all(all.map((one) => one.exited));
  for (const one of all) await until('nothing is left', () => one.left().length === 0);
}
