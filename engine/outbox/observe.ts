import type { Samples } from '../runtime/metrics-page.ts';
import { PUBLISHER_MODES, type PublisherStatus } from './publisher.ts';

/** The figures of a publisher for `/metrics`. */
export function samplePublisher({ mode, hasLease, told, retries }: PublisherStatus): Samples {
  return {
    bootakhae_publisher_mode: new Map(PUBLISHER_MODES.map((one) => [one, one === mode ? 1 : 0])),
    bootakhae_publisher_lease: hasLease ? 1 : 0,
    bootakhae_publisher_messages_total: told,
    bootakhae_publisher_retries_total: retries,
  };
}
