import { execFileSync } from 'node:child_process';
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { findBinary } from '../cli/stack/binaries.ts';
import { packageRoot } from '../engine/runtime/package-root.ts';

/** On what the figures were measured. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly node: string;
  readonly redis: string;
  readonly mariadb: string;
  /** Type of the file system that holds the servers' data, as statfs(2) numbers it. */
  readonly fileSystem: string;
  /** Median time of appending 4 KiB and fsync, ms: what `appendfsync always` waits for. */
  readonly fsyncMs: number;
}

/** @param home the folder under which the servers' data lies */
export function describeMachine(home: string): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.versions.node,
    redis: versionOf('redis-server', /v=(\S+)/),
    mariadb: versionOf('mariadbd', /Ver (\S+)/),
    fileSystem: `0x${statfsSync(home).type.toString(16)}`,
    fsyncMs: measureFsync(home),
  };
}

/** The commit that was measured, with `+` when the checkout differs from it; null outside a checkout. */
export function describeCommit(): string | null {
  try {
    const git = (...args: string[]) =>
      execFileSync('git', args, { cwd: packageRoot, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    const dirty = git('status', '--porcelain', '--untracked-files=no').trim() !== '';
    return git('rev-parse', '--short=12', 'HEAD').trim() + (dirty ? '+' : '');
  } catch {
    return null;
  }
}

function versionOf(binary: string, pattern: RegExp): string {
  const output = execFileSync(findBinary(binary), ['--version'], { encoding: 'utf8' });
  return pattern.exec(output)?.[1] ?? output.trim();
}

const FSYNCS = 101;
const PAGE = Buffer.alloc(4_096);

function measureFsync(home: string): number {
  const folder = mkdtempSync(join(home, 'bootakhae-fsync-'));
  const file = openSync(join(folder, 'log'), 'a');
  const times = Array.from({ length: FSYNCS }, () => {
    const started = performance.now();
    writeSync(file, PAGE);
    fsyncSync(file);
    return performance.now() - started;
  });
  closeSync(file);
  rmSync(folder, { recursive: true });
  return times.sort((a, b) => a - b)[Math.floor(FSYNCS / 2)]!;
}
