import { Option } from 'commander';
import { DEFAULT_DATA_DIRECTORY } from '../surroundings.ts';

/** `--data DIR`: which local stack stands in for what the environment does not set. */
export function dataOption(): Option {
  return new Option(
    '--data <dir>',
    'data of the local stack to use for what the environment does not set',
  ).default(DEFAULT_DATA_DIRECTORY);
}
