import type { UpsertResult } from 'mariadb';

/**
 * How many rows a `batch` of the connector has changed. It answers one result, or an array of them where the rows' values
 * were not all of one type on the wire (a delta past 2^31 beside a small one) and it had to send them in parts.
 */
export function affectedRowsOf(result: unknown): number {
  const parts = (Array.isArray(result) ? result : [result]) as UpsertResult[];
  return parts.reduce((sum, { affectedRows }) => sum + affectedRows, 0);
}
