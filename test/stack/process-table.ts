import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A living process (Linux; zombies are left out). */
export interface ProcessRow {
  pid: number;
  command: string;
}

/**
 * The living processes whose environment holds `entry` (`NAME=value`), or that work in `folder`: Redis writes its
 * title over its environment.
 */
export function processesWith(entry: string, folder = '/nowhere'): ProcessRow[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    const environment = read(`/proc/${pid}/environ`);
    const alive = !/^State:\s+[ZX]/m.test(read(`/proc/${pid}/status`));
    const fits = alive && (environment.includes(entry) || target(`/proc/${pid}/cwd`).startsWith(folder));
    return fits ? [{ pid: Number(pid), command: read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ') }] : [];
  });
}

function target(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return '';
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

/** The IPv4 and IPv6 addresses, as 127.0.0.1 and ::1 where they are loopback, that these processes listen on. */
export function listenersOf(pids: number[]): string[] {
  const sockets = new Set(pids.flatMap(socketsOf));
  const rows = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => read(file).trim().split('\n').slice(1));
  const LISTEN = '0A';
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter((fields) => fields[3] === LISTEN && sockets.has(fields[9] as string))
    .map((fields) => readable((fields[1] as string).split(':')[0] as string));
}

function socketsOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).flatMap((fd) => /^socket:\[(\d+)\]$/.exec(target(`${folder}/${fd}`))?.[1] ?? []);
}

function readable(hexadecimal: string): string {
  if (hexadecimal === '0100007F') return '127.0.0.1';
  if (hexadecimal === '00000000000000000000000001000000') return '::1';
  return hexadecimal;
}
