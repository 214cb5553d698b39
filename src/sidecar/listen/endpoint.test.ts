import { expect, test } from 'vitest';
import { formatEndpoint, isLoopback } from './endpoint.ts';

test('loopback is what only this machine reaches', () => {
  for (const host of ['127.0.0.1', '127.8.8.8', '::1', 'localhost', 'LocalHost'])
    expect(isLoopback(host)).toBe(true);
  for (const host of [
    '0.0.0.0',
    '::',
    '10.0.0.1',
    '128.0.0.1',
    'localhost.example.org',
    '127.0.0.1.nip.io',
    '',
  ]) {
    expect(isLoopback(host)).toBe(false);
  }
});

test('an endpoint is written with brackets where it needs them', () => {
  expect(formatEndpoint({ host: '127.0.0.1', port: 80 })).toBe('127.0.0.1:80');
  expect(formatEndpoint({ host: '::1', port: 80 })).toBe('[::1]:80');
});
