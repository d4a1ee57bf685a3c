import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { type OwnedProcess, spawnOwned } from '../../cli/stack/owned-process.ts';
import { StackError } from '../../cli/stack/stack-error.ts';
import { STAGE } from '../../cli/stack/watchdog.ts';
import { systemClock } from '../../engine/runtime/clock.ts';
import { packageRoot } from '../../engine/runtime/package-root.ts';
import { signToken } from '../../engine/token/token.ts';
import { reconcile } from '../../writer/reconcile/reconcile.ts';
import { type Contestant, startContestant, startWriter } from '../ground/contestant.ts';
import { fillEngine } from '../ground/fresh-stock.ts';
import { type FreshRedis, type Ground, openRedis } from '../ground/ground.ts';
import { type LogLine, waitForLine } from '../ground/log-lines.ts';
import { madeUpProducts } from '../made-up-shop.ts';
import { untilDrained } from '../measure/backlog.ts';
import { driveLoad } from '../measure/drive-load.ts';
import type { LiveBooks, LiveSettings, LiveSlice } from './live-result.ts';

const SHOP = { products: 200, lines: 3 };
const UNITS = 1_000_000_000;
const EVENT_UNITS = 500_000_000;
const EVENT_PRICE = 900;
const HOUR_MS = 3_600_000;

interface Said extends LogLine {
  readonly seconds: number;
  readonly connected: number;
  readonly messages: number;
  readonly lost: number;
}

/** An api with an open sale event, orders against it, and clients that watch it. */
export class LiveRun {
  readonly #settings: LiveSettings;
  readonly #ground: Ground;
  readonly #redis: FreshRedis;
  readonly #api: Contestant;
  readonly #live: string;
  #answered = 0;

  private constructor(
    settings: LiveSettings,
    { ground, redis, api, live }: { ground: Ground; redis: FreshRedis; api: Contestant; live: string },
  ) {
    this.#settings = settings;
    this.#ground = ground;
    this.#redis = redis;
    this.#api = api;
    this.#live = live;
  }

  static async open(settings: LiveSettings, ground: Ground): Promise<LiveRun> {
    const redis = await openRedis(ground.directory, 'always');
    const servers = { redis: redis.client, database: ground.database, appendfsync: 'always' } as const;
    await fillEngine(servers, madeUpProducts(SHOP, UNITS));
    const environment = { LIVE_WRITES_PER_SECOND: String(settings.writesPerSecond) };
    const api = await startContestant('engine', {
      ...{ ground, redisUrl: redis.server.url, environment, profiles: null },
    });
    const live = await openEvent(api.url, ground.authSecret, settings.items);
    return new LiveRun(settings, { ground, redis, api, live });
  }

  /** Orders for a while, at a fixed rate or as fast as they are answered (null), with so many clients watching. */
  async slice(clients: number, ratePerSecond: number | null): Promise<LiveSlice> {
    const watching = clients > 0 ? await this.#watch(clients) : null;
    const { connections, warmUpSeconds, seconds } = this.#settings;
    const { load, cores } = await driveLoad(
      this.#ground.directory,
      {
        ...{ urls: [this.#api.url], workload: SHOP, client: 'plain' },
        ...{ connections, warmUpSeconds, seconds, ratePerSecond, authSecret: this.#ground.authSecret },
      },
      {
        ...{ api: this.#api.process.pid, redis: this.#redis.server.pid },
        ...(watching && { clients: watching.process.pid }),
      },
    );
    this.#answered += load.statuses['201'] ?? 0;
    const told = watching ? await this.#stopWatching(watching) : { messagesPerSecond: 0, lost: 0 };
    const { acceptedPerSecond, refusedPerSecond, shedPerSecond, notOfferedPerSecond, errors } = load;
    const refused = refusedPerSecond + shedPerSecond;
    const { p50, p99 } = load.accepted;
    return {
      ...{ clients, ratePerSecond, acceptedPerSecond, refusedPerSecond: refused, notOfferedPerSecond },
      ...{ errors, p50, p99, cores, ...told },
    };
  }

  /** Every 201 is found in Redis, journal and MariaDB, which agree. */
  async checkBooks(): Promise<LiveBooks> {
    const { client, server } = this.#redis;
    await this.#api.process.stop();
    const plan = { ground: this.#ground, redisUrl: server.url, environment: {}, profiles: null };
    const writer = await startWriter(plan);
    await untilDrained(client);
    await writer.process.stop();
    const { orders, drifts } = await reconcile({
      ...{ redis: client, database: this.#ground.database, clock: systemClock },
    });
    return { answered: this.#answered, kept: orders, drifts: drifts.length };
  }

  async close(): Promise<void> {
    await this.#api.process.stop();
    await this.#redis.close();
  }

  async #watch(count: number): Promise<{ process: OwnedProcess; begun: Said }> {
    const owned = await spawnOwned({
      name: 'clients',
      command: process.execPath,
      args: [join(packageRoot, 'dist/bench/live/clients.js'), this.#live, String(count)],
      logFile: join(mkdtempSync(join(this.#ground.directory, 'clients-')), 'clients.log'),
      stage: STAGE.program,
    });
    const begun = (await waitForLine(owned, 'watching')) as Said;
    if (begun.lost > 0)
      throw new StackError(`${begun.lost} of ${count} clients were not let in: see ulimit -n, LIVE_CLIENTS`);
    return { process: owned, begun };
  }

  async #stopWatching({ process: owned, begun }: { process: OwnedProcess; begun: Said }) {
    owned.kill('SIGTERM');
    await owned.exited;
    const { seconds, messages, lost } = (await waitForLine(owned, 'stopped')) as Said;
    return { messagesPerSecond: (messages - begun.messages) / (seconds - begun.seconds), lost };
  }
}

/** Resolves to where its live stock is told. */
async function openEvent(url: string, authSecret: string, items: number): Promise<string> {
  const token = signToken(authSecret, { user: 'the operator', role: 'operator' }, HOUR_MS);
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const offered = [...madeUpProducts({ ...SHOP, products: items }, 0)];
  const body = JSON.stringify({
    name: 'a sale that many watch',
    startsAt: new Date().toISOString(),
    endsAt: new Date(Date.now() + HOUR_MS).toISOString(),
    items: offered.map(({ sku }) => ({ sku, stock: EVENT_UNITS, price: EVENT_PRICE })),
  });
  const created = await fetch(`${url}/api/v1/events`, { method: 'POST', headers, body });
  const { id } = (await created.json()) as { id?: string };
  const opened = await fetch(`${url}/api/v1/events/${id}/open`, { method: 'POST', headers });
  if (opened.status !== 200) throw new StackError(`the event was not opened: ${await opened.text()}`);
  return `${url}/api/v1/events/${id}/live`;
}
