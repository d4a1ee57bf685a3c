import { Command } from 'commander';
import { migrate } from '../../engine/database/migrate.ts';
import { withDatabase } from '../connections.ts';
import { dataOption } from './data-option.ts';

/** `bootakhae migrate`: brings the MariaDB schema up to date. */
export function migrateCommand(): Command {
  return new Command('migrate')
    .description('bring the MariaDB schema up to date')
    .addOption(dataOption())
    .action(async ({ data }: { data: string }) => {
      const done = await withDatabase(data, migrate);
      console.log(done.length > 0 ? `migrated: ${done.join(', ')}` : 'the schema is up to date');
    });
}
