import { type Connection, createConnection } from 'mariadb';
import type { Rig } from '../rig/rig.ts';
import type { Fault, FaultKind } from './fault.ts';

type Administer = (admin: Connection) => Promise<unknown>;

/** The least that MariaDB accepts for max_connections. */
const FEWEST_CONNECTIONS = 10;
const USUAL_CONNECTIONS = 151;

/** MariaDB is there and does not do what it is asked to: nothing is poison, nothing is given up, nothing is skipped. */
export const DATABASE: readonly FaultKind[] = [
  administering('lock-tables', {
    spanMs: [500, 6_000],
    inject: (admin) =>
      admin.query('LOCK TABLES bootakhae.journal_checkpoint WRITE, bootakhae.stock_levels WRITE'),
    heal: (admin) => admin.query('UNLOCK TABLES'),
  }),
  administering('lock-rows', {
    spanMs: [500, 6_000],
    async inject(admin) {
      await admin.beginTransaction();
      // In the order of the writers: otherwise MariaDB may choose this transaction to end a deadlock.
      await admin.query('SELECT * FROM bootakhae.journal_checkpoint FOR UPDATE');
      await admin.query('SELECT * FROM bootakhae.stock_levels FOR UPDATE');
    },
    heal: (admin) => admin.rollback(),
  }),
  administering('read-only', {
    spanMs: [500, 4_000],
    inject: (admin) => admin.query('SET GLOBAL read_only = 1'),
    heal: (admin) => admin.query('SET GLOBAL read_only = 0'),
  }),
  administering('kill-connections', { spanMs: [0, 0], inject: killConnections, heal: async () => undefined }),
  { name: 'too-many-connections', draw: (rig, random) => new FullHouse(rig, random.between(500, 4_000)) },
];

interface Plan {
  readonly spanMs: readonly [number, number];
  readonly inject: Administer;
  readonly heal: Administer;
}

/** Done, and undone, on one connection of the administrator, past the network. */
function administering(name: string, { spanMs, inject, heal }: Plan): FaultKind {
  return {
    name,
    draw(rig, random) {
      let admin: Connection | null = null;
      return {
        what: name,
        victims: ['mariadb'],
        forMs: random.between(...spanMs),
        async inject() {
          admin = await connectAsAdministrator(rig);
          await inject(admin);
        },
        async heal() {
          if (admin) await heal(admin);
          await admin?.end();
        },
      };
    },
  };
}

/** All of those who work, not the observer's, which would not be told apart from them by MariaDB but by its place. */
async function killConnections(admin: Connection): Promise<void> {
  const rows = (await admin.query(
    `SELECT id FROM information_schema.processlist WHERE user = 'bootakhae' AND id <> CONNECTION_ID()`,
  )) as { id: number | bigint }[];
  for (const { id } of rows) await admin.query(`KILL ${id}`).catch(() => undefined); // it ended meanwhile
}

/** Others have all the connections that there are; whoever had one loses it. */
class FullHouse implements Fault {
  readonly what = 'too-many-connections';
  readonly victims = ['mariadb'] as const;
  readonly forMs: number;
  readonly #rig: Rig;
  #admin: Connection | null = null;
  readonly #guests: Connection[] = [];

  constructor(rig: Rig, forMs: number) {
    this.#rig = rig;
    this.forMs = forMs;
  }

  async inject(): Promise<void> {
    this.#admin = await connectAsAdministrator(this.#rig);
    await this.#admin.query(`SET GLOBAL max_connections = ${FEWEST_CONNECTIONS}`);
    await killConnections(this.#admin);
    // As many as come in before the house is full: who works tries to come back meanwhile.
    for (let come = 0; come < FEWEST_CONNECTIONS; come++) {
      const guest = await connectByUrl(this.#rig).catch(() => null);
      if (guest) this.#guests.push(guest);
    }
  }

  async heal(): Promise<void> {
    await this.#admin?.query(`SET GLOBAL max_connections = ${USUAL_CONNECTIONS}`);
    for (const guest of this.#guests) await guest.end().catch(() => undefined);
    await this.#admin?.end();
  }
}

function connectAsAdministrator(rig: Rig): Promise<Connection> {
  const socketPath = `${rig.servers.mariadb.directory}/files/mariadb.sock`;
  return listened(createConnection({ socketPath, user: 'root' }));
}

function connectByUrl(rig: Rig): Promise<Connection> {
  const { port, username: user, password } = new URL(rig.servers.mariadb.url);
  return listened(
    createConnection({ host: '127.0.0.1', port: Number(port), user, password, connectTimeout: 2_000 }),
  );
}

/** Killed by another fault, it says so to whoever listens, and ends the process when nobody does. */
async function listened(connecting: Promise<Connection>): Promise<Connection> {
  const connection = await connecting;
  connection.on('error', () => undefined);
  return connection;
}
