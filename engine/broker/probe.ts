import { connect } from 'amqplib';

/** Connects to RabbitMQ and closes again; resolves to its version. Rejects when it does not answer. */
export async function probeBroker(url: string, withinMs: number): Promise<string> {
  const connection = await connect(url, { timeout: withinMs });
  const { version } = connection.connection.serverProperties as { version?: string };
  await connection.close();
  return version ?? 'unknown';
}
