import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { findBinary } from './binaries.ts';
import { keptSecret } from './kept-secret.ts';
import { describeExit, spawnOwned } from './owned-process.ts';
import { claimFreePort } from './ports.ts';
import { mariadbGreets } from './probes.ts';
import {
  asServer,
  environmentWithout,
  type RunningServer,
  type ServerOptions,
  untilReady,
} from './running-server.ts';
import { StackError, tailOf } from './stack-error.ts';

const NAME = 'bootakhae';
const READY_MS = 120_000;
const UNFINISHED = 'files.installing';

/**
 * Starts a private MariaDB on 127.0.0.1 with an empty database `bootakhae` (at the first start) and a user of that
 * name, who may also create and use databases whose names begin with `bootakhae`.
 *
 * @returns the server once it answers, `url` is `mariadb://user:password@127.0.0.1:port/bootakhae`
 * @throws StackError when it does not come up
 */
export async function startMariaDB(options: ServerOptions): Promise<RunningServer> {
  const home = resolve(options.dataDirectory);
  const logFile = options.logFile ?? join(home, 'mariadb.log');
  mkdirSync(temporaryOf(home), { recursive: true, mode: 0o700 });
  await installOnce(home, logFile);
  writeInitFile(home, passwordOf(home));
  const port = options.port ?? (await claimFreePort());
  const owned = await spawnOwned({
    name: 'mariadb',
    command: findBinary('mariadbd'),
    args: [...serverArguments(home, port), ...(options.args ?? [])],
    env: environmentWithout('MYSQL', 'MARIADB'),
    logFile,
    patienceMs: 30_000,
  });
  const isReady = () => mariadbGreets({ host: '127.0.0.1', port });
  await untilReady(owned, { isReady, timeoutMs: READY_MS, signal: options.signal });
  return asServer(owned, { url: mariadbUrl(home, port), port, keepPort: options.port !== undefined });
}

/** The address, password included, of a private MariaDB with that folder and port; it need not run yet. */
export function mariadbUrl(dataDirectory: string, port: number): string {
  return `mariadb://${NAME}:${passwordOf(dataDirectory)}@127.0.0.1:${port}/${NAME}`;
}

function passwordOf(home: string): string {
  return keptSecret(join(home, 'password'), () => randomBytes(24).toString('hex'));
}

function temporaryOf(home: string): string {
  return join(home, 'temporary');
}

function filesOf(home: string): string {
  return join(home, 'files');
}

/** MariaDB refuses to run as root unless it is asked to; anyone else runs it as what they are. */
function userArguments(): string[] {
  return process.getuid?.() === 0 ? ['--user=root'] : [];
}

/** Installs into a folder that gets its name only when it is complete: an interrupted installation is redone. */
async function installOnce(home: string, logFile: string): Promise<void> {
  if (existsSync(filesOf(home))) return;
  const unfinished = join(home, UNFINISHED);
  rmSync(unfinished, { recursive: true, force: true });
  const installation = await spawnOwned({
    name: 'mariadb-install-db',
    command: findBinary('mariadb-install-db'),
    // Relative: the script does not quote the path, and a checkout may lie under "my shop".
    args: ['--no-defaults', ...userArguments(), `--datadir=./${UNFINISHED}`, ...installArguments()],
    cwd: home,
    env: { ...environmentWithout('MYSQL', 'MARIADB'), TMPDIR: temporaryOf(home) },
    logFile,
  });
  const exit = await installation.exited;
  if (exit.code !== 0) {
    throw new StackError(
      `mariadb: mariadb-install-db ended with ${describeExit(exit)}. The end of ${logFile}:${tailOf(logFile)}`,
    );
  }
  renameSync(unfinished, filesOf(home));
}

function installArguments(): string[] {
  return ['--auth-root-authentication-method=socket', '--skip-test-db'];
}

/** MariaDB reads it at every start, one statement a line, before it accepts a connection. */
function writeInitFile(home: string, password: string): void {
  const statements = [
    `CREATE DATABASE IF NOT EXISTS ${NAME} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;`,
    `CREATE USER IF NOT EXISTS '${NAME}'@'127.0.0.1';`,
    `ALTER USER '${NAME}'@'127.0.0.1' IDENTIFIED BY '${password}';`,
    `GRANT ALL ON \`${NAME}%\`.* TO '${NAME}'@'127.0.0.1';`,
  ];
  writeFileSync(join(home, 'init.sql'), `${statements.join('\n')}\n`, { mode: 0o600 });
}

function serverArguments(home: string, port: number): string[] {
  return [
    '--no-defaults',
    ...userArguments(),
    `--datadir=${filesOf(home)}`,
    // Its own: in a shared one, each server that starts removes the temporary tables of the others.
    `--tmpdir=${temporaryOf(home)}`,
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    // Relative to the data directory, which is the server's working directory: socket paths end at 107 bytes.
    '--socket=mariadb.sock',
    '--skip-name-resolve',
    '--character-set-server=utf8mb4',
    '--collation-server=utf8mb4_bin',
    '--innodb-flush-log-at-trx-commit=1',
    '--innodb-buffer-pool-size=256M',
    '--innodb-log-file-size=256M',
    '--skip-log-bin',
    '--max-allowed-packet=64M',
    `--init-file=${join(home, 'init.sql')}`,
  ];
}
