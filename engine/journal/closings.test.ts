import { expect, test } from 'vitest';
import { Closings, reasonKind } from './closings.ts';

test('the sentences of the gate each have their kind', () => {
  const kinds = {
    'Redis is away': 'redis_away',
    'Redis: no answer within 2000 ms': 'redis_silent',
    'Redis has lost data: its journal ends at 0-0, MariaDB is at 1-41': 'lost_data',
    "acknowledged orders are lost: entry 1-9 was acknowledged, Redis's journal ends at 1-5": 'lost_data',
    'Redis is of epoch 1, from before the recovery that began epoch 2': 'lost_data',
    'Redis is another than it was: restarted, promoted or given other data': 'another_run',
    'Redis is being rebuilt, as epoch 2': 'recovering',
    'waiting to hear what api 1 on there has acknowledged': 'witness',
    'Redis has 0 replicas, REDIS_REPLICAS asks for 1: start them': 'replicas',
    'the journal has a gap: MariaDB is at 1-41, the next entry is 1-43': 'gap',
    "Redis's epoch is 3, it was 2": 'epoch',
    'the journal is full: 9 entries, 900 bytes wait for MariaDB, the bound is': 'journal_full',
    'Redis has no memory left: raise maxmemory': 'memory_full',
    'Redis cannot write its append-only file: is the disk full?': 'disk_full',
    'Redis is a replica, which takes no writes': 'replica',
    'Redis has appendfsync everysec, needs always: an acknowledged order must survive power loss': 'settings',
    'JOURNAL_BYTES is 9, more than three quarters of': 'settings',
    'cannot compare: connect ECONNREFUSED': 'cannot_compare',
    'something else': 'other',
  };
  const sorted = Object.keys(kinds).map((sentence) => [sentence, reasonKind(sentence)]);
  expect(Object.fromEntries(sorted)).toEqual(kinds);
});

test('a closing counts once for each kind of its reasons', () => {
  const closings = new Closings();
  closings.note(['Redis is away']);
  closings.note(['Redis is a replica', 'Redis is a replica, too', 'Redis has no memory left']);
  const counted = [...closings.counts].filter(([, count]) => count > 0);
  expect(Object.fromEntries(counted)).toEqual({ redis_away: 1, replica: 1, memory_full: 1 });
});
