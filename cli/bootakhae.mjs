#!/usr/bin/env node
// The command `bootakhae`: makes sure that what it stands on is there, then hands over to the compiled program.
import { preflightOrExit } from './preflight.mjs';

const words = process.argv.slice(2);
const asksForHelp = words.some((word) => word === '--help' || word === '-h');
const startsServers = words[0] === 'up' && !asksForHelp;

await preflightOrExit({ servers: startsServers, outside: process.env });
await import('../dist/cli/main.js');
