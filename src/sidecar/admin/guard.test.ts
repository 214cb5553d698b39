import { expect, test } from 'vitest';
import { refusalOf } from './guard.ts';

test('lets in what a program on this machine sends', () => {
  for (const host of ['127.0.0.1:15000', 'localhost:15000', 'localhost', '[::1]:15000', '[::1]']) {
    expect(refusalOf({ host })).toBeUndefined();
  }
  expect(refusalOf({ host: 'localhost', 'sec-fetch-site': 'none' })).toBeUndefined();
});

test('refuses a name that somebody made to resolve to this machine', () => {
  for (const host of [
    'evil.example.org:15000',
    '10.0.0.1',
    '[::1].example.org',
    'localhost.example.org:1',
    '',
    '[::1',
  ]) {
    expect(refusalOf({ host })).toContain('not this machine');
  }
  expect(refusalOf({})).toContain('no Host');
});

test("refuses a web page's request, whatever its site", () => {
  const host = 'localhost:15000';
  expect(refusalOf({ host, origin: 'https://evil.example.org' })).toContain('web page');
  expect(refusalOf({ host, origin: 'null' })).toContain('web page');
  for (const site of ['cross-site', 'same-site', 'same-origin']) {
    expect(refusalOf({ host, 'sec-fetch-site': site })).toContain('web page');
  }
});
