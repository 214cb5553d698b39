import { expect, test } from 'vitest';
import { jsonLog } from '#runtime';
import { repeatedKeys } from '../testing/repeated-keys.ts';
import { serviceLog } from './service-log.ts';

test('a line names its service once, whoever named it', () => {
  const lines: string[] = [];
  const log = serviceLog(
    jsonLog('info', (line) => lines.push(line)),
    'web',
  );
  log.info('one', { serial: '01' });
  log.warn('two', { service: 'orders' });
  log.with({ service: 'payments', part: 'admin' }).error('three', { part: 'status' });
  expect(lines.flatMap(repeatedKeys)).toEqual([]);
  expect(lines.map((line) => (JSON.parse(line) as { service: string }).service)).toEqual([
    'web',
    'orders',
    'payments',
  ]);
});

test('a key that stands twice is found, at any depth', () => {
  expect(repeatedKeys('{"a":"{\\"a\\":1,\\"a\\":2}","b":{"a":1},"c":[{"a":2},{"a":3}]}')).toEqual([]);
  expect(repeatedKeys('{"a":1,"b":{"c":[1],"c":2},"a":3}')).toEqual(['c', 'a']);
});
