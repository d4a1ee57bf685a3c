import { readFileSync, writeFileSync } from 'node:fs';
import { runWithAutocannon } from './autocannon-load.ts';
import type { LoadJob } from './job.ts';
import { runPlainly } from './plain-load.ts';

/**
 * The load generator, a process of its own so that its CPU time can be told from the others': reads a job, sends
 * orders with one request in flight a connection, writes what it measured.
 *
 *     node dist/bench/load/generator.js JOB.json RESULT.json
 */
const [jobFile = '', resultFile = ''] = process.argv.slice(2);
const job = JSON.parse(readFileSync(jobFile, 'utf8')) as LoadJob;
const result = job.client === 'plain' ? await runPlainly(job) : await runWithAutocannon(job);
writeFileSync(resultFile, JSON.stringify(result));
