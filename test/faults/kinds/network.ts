import { PROCESS_NAMES, SERVER_NAMES } from '../rig/rig.ts';
import { NETWORK_FAULTS } from '../rig/tcp-proxy.ts';
import type { FaultKind } from './fault.ts';

const FOR_MS = [300, 5_000] as const;
const DELAY_MS = [5, 400] as const;

/** One process and one server cannot talk as they should, and all others can. */
export const NETWORK: readonly FaultKind[] = NETWORK_FAULTS.map((weather) => ({
  name: `network-${weather}`,
  draw(rig, random) {
    const [process, server] = [random.pick(PROCESS_NAMES), random.pick(SERVER_NAMES)];
    const delayMs = random.between(...DELAY_MS);
    const link = rig.link(process, server);
    return {
      what: `${weather}${weather === 'slow' ? ` ${delayMs} ms` : ''} ${process} - ${server}`,
      victims: [process],
      forMs: random.between(...FOR_MS),
      inject: () => link.set(weather, delayMs),
      heal: () => link.set('pass'),
    };
  },
}));
