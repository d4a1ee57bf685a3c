import { Command, InvalidArgumentError, Option } from 'commander';
import { isUser, MAX_USER_CHARACTERS } from '../../engine/domain/bounds.ts';
import { type Role, signToken } from '../../engine/token/token.ts';
import { readSurroundings } from '../surroundings.ts';
import { dataOption } from './data-option.ts';

interface TokenOptions {
  readonly sub: string;
  readonly role: Role;
  readonly ttl: number;
  readonly data: string;
}

/** `bootakhae token`: prints a signed JWT. */
export function tokenCommand(): Command {
  return new Command('token')
    .description('print a signed token')
    .requiredOption('--sub <user>', 'the user it speaks for', readUser)
    .addOption(
      new Option('--role <role>', 'what it may do').choices(['customer', 'operator']).default('customer'),
    )
    .addOption(ttlOption())
    .addOption(dataOption())
    .action(({ sub, role, ttl, data }: TokenOptions) => {
      const { AUTH_SECRET } = readSurroundings(data, ['AUTH_SECRET']);
      console.log(signToken(AUTH_SECRET, { user: sub, role }, ttl));
    });
}

function ttlOption(): Option {
  return new Option('--ttl <duration>', 'how long it holds: a number and s, m, h or d')
    .argParser(readDuration)
    .default(3_600_000, '1h');
}

const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function readDuration(text: string): number {
  const match = /^([1-9]\d{0,5})([smhd])$/.exec(text);
  if (!match)
    throw new InvalidArgumentError(
      'expected a number of up to 6 digits and a unit, for example 30m, 1h or 7d',
    );
  return Number(match[1]) * UNITS_MS[match[2]!]!;
}

function readUser(text: string): string {
  if (isUser(text)) return text;
  throw new InvalidArgumentError(
    `expected 1 to ${MAX_USER_CHARACTERS} characters without control characters`,
  );
}
