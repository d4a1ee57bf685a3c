#!/usr/bin/env node
// What must be there before anything compiled can run. Plain JavaScript without dependencies: at this moment
// node_modules may be missing. Says what it does on standard error, one line each; silent when nothing is to do.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const OLDEST_NODE = 20;
const ROOMS = ['engine', 'writer', 'api', 'cli', 'bench'];
/** Compilation and installation take seconds; a holder that takes longer than this is stuck. */
const LOCK_PATIENCE_MS = 300_000;

/** Something a person can act upon: printed as it is. */
class PreflightError extends Error {}

/**
 * Installs the npm packages and compiles where that is due; with `servers`, makes sure that the server programs are
 * installed.
 *
 * @param {{ servers?: boolean, tests?: boolean, outside?: Record<string, string | undefined> }} options `outside`: servers
 *   whose variable (REDIS_URL, DATABASE_URL, AMQP_URL) is set there are not needed; `tests`: what only tests need is
 *   installed where that is possible
 * @throws PreflightError with one line that says what is missing and what to do
 */
export async function preflight(options = {}) {
  requireNode();
  await withLock(() => {
    installPackages();
    compile();
  });
  if (options.servers) provideServers(readServers(), options.outside ?? {});
  if (options.tests) provideTestPrograms(readServers());
}

function requireNode() {
  const major = Number.parseInt(process.versions.node, 10);
  if (major >= OLDEST_NODE) return;
  throw new PreflightError(`Node.js ${OLDEST_NODE} or newer is needed, this is ${process.versions.node}`);
}

// --- one preflight at a time in a checkout -------------------------------------------------------------------------

async function withLock(work) {
  if (!isInstallDue() && !isCompileDue()) return;
  // Not inside node_modules, which the installation wipes.
  const lock = join(
    tmpdir(),
    `bootakhae-preflight-${createHash('sha256').update(ROOT).digest('hex').slice(0, 16)}`,
  );
  await takeLock(lock);
  try {
    work();
  } finally {
    dropLock(lock, process.pid);
  }
}

async function takeLock(lock) {
  const deadline = Date.now() + LOCK_PATIENCE_MS;
  for (let said = false; !tryLock(lock); said = true) {
    if (!said) say('waiting for another start that is just installing or compiling');
    if (Date.now() > deadline)
      throw new PreflightError(`${lock} is held too long; remove it if nothing runs`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** The lock is a folder with the holder's pid in it, put in place whole by a rename; a dead holder loses it. */
function tryLock(lock) {
  const own = `${lock}.${process.pid}`;
  rmSync(own, { recursive: true, force: true });
  mkdirSync(own);
  writeFileSync(join(own, 'pid'), String(process.pid));
  try {
    renameSync(own, lock); // fails when a folder with something in it is there already
    return true;
  } catch {
    rmSync(own, { recursive: true, force: true });
    dropIfAbandoned(lock);
    return false;
  }
}

function dropIfAbandoned(lock) {
  const pid = Number(readText(join(lock, 'pid')));
  if (!pid) return; // its holder has just given it back
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code === 'ESRCH') dropLock(lock, pid);
  }
}

/** Moves the lock of `holder` away in one step before removing it: nobody ever sees half of it. */
function dropLock(lock, holder) {
  const dropped = `${lock}.dropped-${process.pid}`;
  try {
    renameSync(lock, dropped);
    // Somebody else dropped it and took it in between: theirs goes back.
    if (Number(readText(join(dropped, 'pid'))) !== holder) return renameSync(dropped, lock);
  } catch {
    return;
  }
  rmSync(dropped, { recursive: true, force: true });
}

// --- npm packages --------------------------------------------------------------------------------------------------

function isInstallDue() {
  const lockFile = join(ROOT, 'package-lock.json');
  return existsSync(lockFile) && modified(join(ROOT, 'node_modules/.package-lock.json')) < modified(lockFile);
}

function installPackages() {
  if (!isInstallDue()) return;
  say('installing npm packages');
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  if (succeeds('npm', ['ci', ...quiet])) return;
  // "npm ci" refuses a lock file without the optional packages of other platforms, which is what a registry that
  // does not have them leads to. Installing takes the locked versions all the same, and changes no file of ours.
  run('npm', ['install', '--no-save', ...quiet], { failure: 'npm packages could not be installed' });
}

// --- compilation ---------------------------------------------------------------------------------------------------

function isCompileDue() {
  if (!hasSources()) return false; // an installed package brings dist along
  const compiled = modified(join(ROOT, 'dist/.tsbuildinfo'));
  return sources().some((file) => modified(file) > compiled) || staleOutput().length > 0;
}

function compile() {
  if (!isCompileDue()) return;
  // A removed source leaves its output behind, which would still be found by imports: begin anew.
  if (staleOutput().length > 0) rmSync(join(ROOT, 'dist'), { recursive: true, force: true });
  say('compiling');
  run('npm', ['run', '--silent', 'compile'], { failure: 'the sources do not compile' });
  // The compiler leaves the file alone when a change made no difference to it.
  if (isCompileDue()) touch(join(ROOT, 'dist/.tsbuildinfo'));
}

function hasSources() {
  return existsSync(join(ROOT, 'cli/main.ts')) || existsSync(join(ROOT, 'cli/commands/up.ts'));
}

function sources() {
  const configuration = readdirSync(ROOT).filter((name) => /^tsconfig.*\.json$/.test(name));
  const code = ROOMS.flatMap((room) => filesBelow(join(ROOT, room))).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.test.ts'),
  );
  return [...configuration.map((name) => join(ROOT, name)), ...code];
}

function staleOutput() {
  const output = filesBelow(join(ROOT, 'dist')).filter((file) => file.endsWith('.js'));
  return output.filter((file) => {
    const source = join(ROOT, relative(join(ROOT, 'dist'), file)).replace(/\.js$/, '.ts');
    return !existsSync(source);
  });
}

function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

function touch(file) {
  writeFileSync(file, readText(file));
}

// --- server programs -----------------------------------------------------------------------------------------------

function readServers() {
  return JSON.parse(readFileSync(join(ROOT, 'cli/stack/servers.json'), 'utf8'));
}

/**
 * Installs the server programs that are missing, where that is possible.
 *
 * @param list the content of cli/stack/servers.json
 * @param outside see preflight
 */
export function provideServers(list, outside) {
  const needed = list.servers.filter((server) => !outside[server.environmentVariable]);
  const lacking = () => needed.filter((server) => missingBinaries(server, list.searchPath).length > 0);
  const absent = lacking();
  if (absent.length > 0) installServers(absent, list);
  const still = lacking();
  if (still.length > 0) throw new PreflightError(whatIsMissing(still, list, 'is not installed'));
  for (const server of needed) requireVersion(server, list.searchPath);
}

/** What is missing in the end is no reason to stop: the tests that need it are left out, and say so. */
function provideTestPrograms({ testPrograms }) {
  const absent = testPrograms.filter(({ files }) => !files.some((file) => existsSync(file)));
  const isPossible = process.getuid?.() === 0 && locate('apt-get', [], ['/usr/bin']);
  if (absent.length === 0 || !isPossible) return;
  const packages = absent.map((program) => program.package);
  say(`installing ${packages.join(', ')} for the tests`);
  const patience = ['-o', 'DPkg::Lock::Timeout=300'];
  const environment = { DEBIAN_FRONTEND: 'noninteractive' };
  const install = [...patience, 'install', '-q', '-y', '--no-install-recommends', ...packages];
  if (succeeds('apt-get', install, environment)) return;
  succeeds('apt-get', [...patience, 'update', '-q'], environment);
  if (!succeeds('apt-get', install, environment)) say(`${packages.join(', ')} could not be installed`);
}

function installServers(absent, list) {
  if (!locate('apt-get', [], ['/usr/bin'])) {
    throw new PreflightError(whatIsMissing(absent, list, 'is not installed'));
  }
  if (process.getuid?.() !== 0) {
    throw new PreflightError(whatIsMissing(absent, list, 'is not installed, and installing it takes root'));
  }
  const packages = absent.map((server) => server.package);
  say(`installing ${packages.join(', ')} (about half a minute)`);
  const hint = whatIsMissing(absent, list, 'could not be installed');
  // RUNLEVEL=1: the packages' own services stay off, the stack runs private servers.
  const environment = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const patience = ['-o', 'DPkg::Lock::Timeout=300'];
  // The list of packages may be half out of date yet good enough: only the installation decides.
  succeeds('apt-get', [...patience, 'update', '-q'], environment);
  const install = [...patience, 'install', '-q', '-y', '--no-install-recommends', ...packages];
  run('apt-get', install, { failure: hint, environment });
}

function whatIsMissing(servers, list, what) {
  const binaries = servers.flatMap((server) => missingBinaries(server, list.searchPath)).join(', ');
  const packages = servers.map((server) => server.package).join(' ');
  const urls = servers.map((server) => server.environmentVariable).join(', ');
  return (
    `${binaries} ${what}: run "apt-get install ${packages}" as root (or your system's way), ` +
    `set ${urls} to servers of your own, or use "docker compose up"`
  );
}

function requireVersion({ minimum, binaries, environmentVariable }, searchPath) {
  if (!minimum) return;
  const binary = locate(minimum.binary, binaries[minimum.binary], searchPath);
  const output = spawnSync(binary, ['--version'], { encoding: 'utf8' }).stdout ?? '';
  const version = new RegExp(minimum.pattern).exec(output)?.[1];
  if (!version || isAtLeast(version, minimum.version)) return;
  throw new PreflightError(
    `${binary} is version ${version}, ${minimum.version} or newer is needed: ` +
      `set ${environmentVariable} to a newer server, or use "docker compose up"`,
  );
}

function isAtLeast(version, minimum) {
  const [major, minor] = version.split('.').map(Number);
  const [leastMajor, leastMinor] = minimum.split('.').map(Number);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

function missingBinaries(server, searchPath) {
  const names = Object.keys(server.binaries);
  return names.filter((name) => !locate(name, server.binaries[name], searchPath));
}

function locate(name, places, searchPath) {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...searchPath];
  return [...places, ...folders.map((folder) => join(folder, name))].find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return statSync(path).isFile();
    } catch {
      return false;
    }
  });
}

// --- small things --------------------------------------------------------------------------------------------------

/** Runs a command quietly; says whether it went well. */
function succeeds(command, args, environment) {
  return attempt(command, args, environment).succeeded;
}

/** Runs a command quietly; when it fails, shows what it wrote and gives up with the line `failure`. */
function run(command, args, { failure, environment }) {
  const { succeeded, output } = attempt(command, args, environment);
  if (succeeded) return;
  process.stderr.write(output);
  throw new PreflightError(failure);
}

function attempt(command, args, environment = {}) {
  const logFile = join(tmpdir(), `bootakhae-preflight-${process.pid}.log`);
  const log = openSync(logFile, 'w', 0o600);
  const result = spawnSync(command, args, {
    cwd: ROOT,
    env: { ...process.env, ...environment },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const output = readText(logFile) || (result.error?.message ?? '');
  rmSync(logFile, { force: true });
  return { succeeded: result.status === 0, output };
}

function modified(file) {
  try {
    return statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}

function readText(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function say(line) {
  process.stderr.write(`bootakhae: ${line}\n`);
}

/** Runs the preflight; when something is missing says so in one line and ends the process with 1. */
export async function preflightOrExit(options) {
  try {
    await preflight(options);
  } catch (error) {
    if (!(error instanceof PreflightError)) throw error;
    say(error.message);
    process.exit(1);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [servers, tests] = ['--servers', '--tests'].map((word) => process.argv.includes(word));
  await preflightOrExit({ servers, tests });
}
