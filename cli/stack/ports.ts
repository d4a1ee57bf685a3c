import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { identify, isRunning, type ProcessIdentity } from './process-identity.ts';
import { StackError } from './stack-error.ts';

const LOWEST = 20_000;
/** Where the system's own choice for outgoing connections begins, unless it says otherwise. */
const USUAL_EPHEMERAL = 32_768;

const ours = new Set<number>();
process.once('exit', () => {
  for (const port of ours) releasePort(port);
});

/** Whether a server could listen on 127.0.0.1:`port` now. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * A free loopback port that no other stack or test of this user takes, until this process ends or releases it.
 *
 * It lies below the range the system uses for outgoing connections: a server that dies comes back on its own port,
 * and a client's connection must not have taken it meanwhile. The claim is a file because a server like RabbitMQ
 * listens seconds after its port was chosen.
 *
 * @throws StackError when none can be found
 */
export async function claimFreePort(): Promise<number> {
  const width = Math.min(USUAL_EPHEMERAL, lowestEphemeral()) - LOWEST;
  for (let attempt = 0; attempt < 500; attempt++) {
    const port = LOWEST + Math.floor(Math.random() * Math.max(width, 5_000));
    if (await claimPort(port)) return port;
  }
  throw new StackError('no free loopback port found');
}

/** Claims one particular port; false when it is taken or claimed by another living process. */
export async function claimPort(port: number): Promise<boolean> {
  if (ours.has(port) || !takeClaim(port)) return false;
  ours.add(port);
  if (await isPortFree(port)) return true;
  releasePort(port);
  return false;
}

/** Gives a claimed port back. */
export function releasePort(port: number): void {
  if (ours.delete(port)) rmSync(claimFile(port), { force: true });
}

function takeClaim(port: number): boolean {
  mkdirSync(claimFolder(), { recursive: true, mode: 0o700 });
  if (ours.size === 0) dropDeadClaims(); // once in a while: killed processes leave theirs
  try {
    writeFileSync(claimFile(port), JSON.stringify(identify(process.pid)), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return dropDeadClaims() > 0 && takeClaim(port);
  }
}

/** Removes the claims of dead processes; says how many there were. */
function dropDeadClaims(): number {
  const dead = readdirSync(claimFolder()).filter((name) => !isHeld(join(claimFolder(), name)));
  for (const name of dead) rmSync(join(claimFolder(), name), { force: true });
  return dead.length;
}

function isHeld(file: string): boolean {
  try {
    const text = readFileSync(file, 'utf8');
    // Empty: its owner is just writing it.
    return text === '' || isRunning(JSON.parse(text) as ProcessIdentity);
  } catch {
    return true;
  }
}

function claimFolder(): string {
  return join(tmpdir(), `bootakhae-ports-${userInfo().uid}`);
}

function claimFile(port: number): string {
  return join(claimFolder(), String(port));
}

function lowestEphemeral(): number {
  try {
    return Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'), 10);
  } catch {
    return USUAL_EPHEMERAL;
  }
}
