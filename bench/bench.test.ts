import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../engine/runtime/package-root.ts';
import type { Report } from './report/report.ts';

/** The compiled bench, at its smallest, into a folder of its own. */
const SMALLEST = ['--quick', '--only', 'd,e', '--scenario', 'even', '--connections', '16', '--seconds', '1'];

const results = mkdtempSync(join(tmpdir(), 'bootakhae-bench-test-'));
let report: Report;
let page: string;
let stdout = '';

beforeAll(async () => {
  const words = [`${packageRoot}/dist/bench/main.js`, ...SMALLEST, '--results', results];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  expect(code).toBe(0);
  const read = (ending: string) =>
    readFileSync(join(results, readdirSync(results).find((name) => name.endsWith(ending))!), 'utf8');
  report = JSON.parse(read('.json')) as Report;
  page = read('.html');
});

afterAll(() => rmSync(results, { recursive: true, force: true }));

describe('npm run bench', () => {
  test('names the machine, the versions and how it was asked', () => {
    expect(report).toMatchObject({
      format: 1,
      machine: {
        cores: expect.any(Number),
        redis: expect.stringMatching(/^\d+\./),
        node: process.versions.node,
      },
      options: { quick: true, connections: [16] },
    });
    expect(report.machine.mariadb).toMatch(/^\d+\./);
    expect(report.machine.fsyncMs).toBeGreaterThan(0);
  });

  test('measures each strategy once, with accepted orders, latencies and CPU', () => {
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
    const { books, invalid } = report.runs[0]!;
    expect(invalid).toEqual([]);
    expect(books).toMatchObject({ consistent: true, faults: [] });
    expect(books.ordersKept).toBe(books.ordersAnswered);
    expect(books.unitsGone).toBe(books.unitsAnswered);
    expect(books.unitsGone).toBeGreaterThan(books.ordersKept);
  });

  test('prints a table and writes a page that needs nothing else', () => {
    expect(stdout).toMatch(/d engine .* ok$/m);
    expect(page).toContain('<svg');
    expect(page).not.toMatch(/<script|<link|src=/);
  });
});
