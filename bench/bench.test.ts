import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../engine/runtime/package-root.ts';
import type { Report } from './report/report.ts';

/** What the compiled bench leaves behind when it is run into a folder of its own. */
interface Outcome {
  readonly report: Report;
  readonly page: string;
  readonly stdout: string;
}

/** Servers, processes and loads of fixed length: almost a minute was seen where other work filled the machine five times over. */
const WITHIN_MS = 180_000;

const folder = mkdtempSync(join(tmpdir(), 'bootakhae-bench-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function runBench(...words: string[]): Promise<Outcome> {
  const results = mkdtempSync(join(folder, 'results-'));
  let stdout = '';
  const child = spawn(
    process.execPath,
    [`${packageRoot}/dist/bench/main.js`, ...words, '--results', results],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  expect(code, stdout).toBe(0);
  const read = (ending: string) =>
    readFileSync(join(results, readdirSync(results).find((name) => name.endsWith(ending))!), 'utf8');
  return { report: JSON.parse(read('.json')) as Report, page: read('.html'), stdout };
}

describe('npm run bench', () => {
  let outcome: Outcome;

  beforeAll(async () => {
    const narrowed = ['--only', 'd,e', '--scenario', 'even', '--connections', '16'];
    outcome = await runBench('--quick', ...narrowed, '--seconds', '1');
  }, WITHIN_MS);

  test('names the machine, the versions and how it was asked', () => {
    const { report } = outcome;
    expect(report).toMatchObject({
      format: 1,
      machine: {
        cores: expect.any(Number),
        redis: expect.stringMatching(/^\d+\./),
        node: process.versions.node,
      },
      options: { quick: true, connections: [16] },
      growth: null,
      overload: null,
    });
    expect(report.machine.mariadb).toMatch(/^\d+\./);
    expect(report.machine.fsyncMs).toBeGreaterThan(0);
  });

  test('measures each strategy once, with accepted orders, latencies and CPU', () => {
    const { report } = outcome;
    expect(report.runs.map(({ spec }) => spec.strategy)).toEqual(['engine', 'ceiling']);
    for (const { load, cores } of report.runs) {
      expect(load.acceptedPerSecond).toBeGreaterThan(0);
      expect(load.refusedPerSecond).toBe(0);
      expect(load.accepted.p99).toBeGreaterThanOrEqual(load.accepted.p50);
      expect(Object.keys(load.statuses)).toEqual(['201']);
      expect(cores).toMatchObject({ generator: expect.any(Number), server: expect.any(Number) });
    }
  });

  test('P1: finds every accepted order and unit of the engine in its books', () => {
    const { books, invalid } = outcome.report.runs[0]!;
    expect(invalid).toEqual([]);
    expect(books).toMatchObject({ consistent: true, faults: [] });
    expect(books.ordersKept).toBe(books.ordersAnswered);
    expect(books.unitsGone).toBe(books.unitsAnswered);
    expect(books.unitsGone).toBeGreaterThan(books.ordersKept);
  });

  test('prints a table and writes a page that needs nothing else', () => {
    expect(outcome.stdout).toMatch(/d engine .* ok$/m);
    expect(outcome.page).toContain('<svg');
    expect(outcome.page).not.toMatch(/<script|<link|src=/);
  });
});

describe('npm run bench -- --growth --overload', () => {
  let outcome: Outcome;

  beforeAll(async () => {
    outcome = await runBench('--quick', '--growth', 'apis', '--overload', 'calls', '--seconds', '0.5');
  }, WITHIN_MS);

  test('spreads the load over two apis and says what an order costs', () => {
    const [one, two] = outcome.report.growth!.runs;
    expect(Object.keys(one!.cores)).not.toContain('server 2');
    expect(two!.cores['server 2']).toBeGreaterThan(0);
    for (const run of [one!, two!]) {
      expect(run.invalid).toEqual([]);
      expect(run.books).toMatchObject({ consistent: true, ordersKept: run.load.statuses['201'] });
      expect(run.apiMicroseconds).toBeGreaterThan(0);
      expect(run.scriptMicroseconds).toBeGreaterThan(0);
      expect(run.memory.bytesOfProduct).toBeGreaterThan(0);
      expect(run.reconcileSeconds).toBeGreaterThan(0);
    }
  });

  test('P7: offers three times the capacity, and what is refused with 503 took nothing', () => {
    const { runs, verdicts } = outcome.report.overload!;
    expect(runs.map(({ multiple }) => multiple)).toEqual([null, 1, 2, 3]);
    const overloaded = runs.at(-1)!;
    expect(overloaded.ratePerSecond).toBeGreaterThan(2.9 * runs[0]!.load.acceptedPerSecond);
    expect(overloaded.load.shedPerSecond).toBeGreaterThan(0);
    expect(overloaded.samples.length).toBeGreaterThan(0);
    for (const { books, load, invalid } of runs) {
      expect(invalid).toEqual([]);
      expect(books.ordersKept).toBe(load.statuses['201']);
    }
    expect(verdicts).toMatchObject([{ case: 'calls', kept: expect.any(Number) }]);
  });

  test('compares nothing, and draws both', () => {
    expect(outcome.report.runs).toEqual([]);
    expect(outcome.page.match(/<svg/g)).toHaveLength(5);
    expect(outcome.stdout).toMatch(/^api processes .* ok$/m);
    expect(outcome.stdout).toMatch(/^calls +3 x .* ok$/m);
    expect(outcome.stdout).not.toContain('ratio ');
  });
});
