import type { Rig, ServerName } from '../rig/rig.ts';
import { SERVER_NAMES } from '../rig/rig.ts';
import { canMount } from '../rig/small-disk.ts';
import type { FaultKind } from './fault.ts';

const FOR_MS = [500, 4_000] as const;

/** The disk of a server is full for a while. */
export const DISKS: readonly FaultKind[] = SERVER_NAMES.map((server) => ({
  name: `${server}-disk-full`,
  lacks: () =>
    canMount() ? null : 'mounting a small disk takes root, and is not permitted in this container',
  draw: (rig, random) => ({
    what: `${server}-disk-full`,
    victims: [server],
    forMs: random.between(...FOR_MS),
    inject: () => rig.servers[server].disk!.fill(),
    heal: () => makeRoom(rig, server),
  }),
}));

/** Redis ends rather than write what is not on disk; what was ended so is started again. */
async function makeRoom({ servers }: Rig, server: ServerName): Promise<void> {
  servers[server].disk!.makeRoom();
  if (servers[server].isRunning) return;
  await servers[server].start();
}
