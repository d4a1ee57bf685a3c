import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { spawnOwned } from '../../cli/stack/owned-process.ts';
import { StackError, tailOf } from '../../cli/stack/stack-error.ts';
import { STAGE } from '../../cli/stack/watchdog.ts';
import { packageRoot } from '../../engine/runtime/package-root.ts';
import { type CpuSeconds, coresBusy, readCpu } from '../ground/process-cpu.ts';
import type { LoadJob, LoadResult } from '../load/job.ts';

const SAMPLE_MS = 50;

export interface DrivenLoad {
  readonly load: LoadResult;
  readonly cores: Record<string, number>;
}

/** Runs the load generator, watching the CPU time of the processes `pids` meanwhile. */
export async function driveLoad(
  directory: string,
  job: LoadJob,
  pids: Readonly<Record<string, number>>,
): Promise<DrivenLoad> {
  const folder = mkdtempSync(join(directory, 'load-'));
  const [jobFile, resultFile] = [join(folder, 'job.json'), join(folder, 'result.json')];
  writeFileSync(jobFile, JSON.stringify(job), { mode: 0o600 });
  const generator = await spawnOwned({
    name: 'generator',
    command: process.execPath,
    args: [join(packageRoot, 'dist/bench/load/generator.js'), jobFile, resultFile],
    logFile: join(folder, 'generator.log'),
    stage: STAGE.program,
  });
  const samples = new CpuSamples(pids);
  const exit = await generator.exited;
  samples.stop();
  if (exit.code !== 0) throw new StackError(`the load generator failed:${tailOf(generator.logFile)}`);
  const load = JSON.parse(readFileSync(resultFile, 'utf8')) as LoadResult;
  return {
    load,
    cores: { ...samples.between(load.windowStart, load.windowEnd), generator: load.generatorBusy },
  };
}

class CpuSamples {
  readonly #samples: { at: number; cpu: CpuSeconds }[] = [];
  #running = true;

  constructor(pids: Readonly<Record<string, number>>) {
    void this.#run(pids);
  }

  stop(): void {
    this.#running = false;
  }

  /** Cores busy between two instants, ms since 1970. */
  between(start: number, end: number): Record<string, number> {
    const [first, last] = [this.#nearest(start), this.#nearest(end)];
    return coresBusy(first.cpu, last.cpu, (last.at - first.at) / 1_000);
  }

  async #run(pids: Readonly<Record<string, number>>): Promise<void> {
    while (this.#running) {
      this.#samples.push({ at: Date.now(), cpu: readCpu(pids) });
      await pause(SAMPLE_MS);
    }
  }

  #nearest(instant: number) {
    return this.#samples.reduce((best, sample) =>
      Math.abs(sample.at - instant) < Math.abs(best.at - instant) ? sample : best,
    );
  }
}
