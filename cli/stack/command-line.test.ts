import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { commandLine } from './command-line.ts';

test('the data directory is named where it is not the one that every command looks for', () => {
  expect(commandLine(['event', 'show', 'x1'], '.bootakhae')).toBe('npx bootakhae event show x1');
  expect(commandLine(['event', 'show', 'x1'], '/var/shop')).toBe(
    'npx bootakhae event show x1 --data /var/shop',
  );
});

test.each(['my shop', "the owner's", '$HOME/`x`', '~/shop', 'a"b\\c', 'a;b&c', '가게', '*', ''])(
  'a shell reads the directory as it is: %s',
  (directory) => {
    const line = commandLine(['status'], directory).replace('npx bootakhae', "printf '%s\\n'");
    expect(execFileSync('sh', ['-c', line], { encoding: 'utf8' })).toBe(`status\n--data\n${directory}\n`);
  },
);
