// A writer, wired as in production, that kills itself (SIGKILL) or stops (SIGSTOP) the nth time it comes to a moment around its
// commit: node crashing-writer.mjs <moment> <nth> <signal>. Its environment is the writer's.
import { readWriterConfig } from '../../dist/writer/config.js';
import { createWriter } from '../../dist/writer/container.js';

const [moment, nth, signal] = process.argv.slice(2);
let times = 0;
const { drainLoop, logger } = createWriter(readWriterConfig(process.env), (point) => {
  if (point !== moment) return;
  times += 1;
  if (times === Number(nth)) process.kill(process.pid, signal);
});
process.on('SIGTERM', () => drainLoop.stop());
logger.info('draining');
await drainLoop.run();
process.exit(0);
