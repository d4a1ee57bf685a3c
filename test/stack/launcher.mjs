// `bootakhae up` with stand-in programs, in a process of its own: node launcher.mjs <data directory> [option=value …]
import { fileURLToPath } from 'node:url';
import { runUp } from '../../dist/cli/stack/up.js';

const [data, ...rest] = process.argv.slice(2);
const options = Object.fromEntries(
  rest.map((word) => word.split('=')).map(([key, value]) => [key, JSON.parse(value)]),
);
const programsDirectory = fileURLToPath(new URL('stand-in', import.meta.url));
process.exitCode = await runUp({ data, port: 0, demo: true, programsDirectory, ...options });
