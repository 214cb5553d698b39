import { describe, expect, test } from 'vitest';
import { isRelative, redirected } from './redirect.ts';

const ASKED = new URL('http://10.244.0.5:8080/live?a');

describe('a redirect is followed where the kubelet would follow it', () => {
  test.each([
    [302, '/ready', 'http://10.244.0.5:8080/ready'],
    [301, 'other', 'http://10.244.0.5:8080/other'],
    [307, 'http://10.244.0.5:9000/x', 'http://10.244.0.5:9000/x'],
    [308, 'https://10.244.0.5/x', 'https://10.244.0.5/x'],
    [303, '//10.244.0.5/x', 'http://10.244.0.5/x'],
    [302, 'https://shop.example/login', undefined],
    [302, '//shop.example/login', undefined],
    [302, 'http://10.244.0.5.evil.example/', undefined],
    [302, 'http://10.244.0.5@evil.example/', undefined],
    [302, undefined, undefined],
    [302, 'http://[', undefined],
    [304, '/ready', undefined],
    [200, '/ready', undefined],
  ])('%i to %s', (status, location, followed) => {
    expect(redirected(status, location, ASKED)?.href).toBe(followed);
  });

  test('addresses are compared, not how they are written', () => {
    const asked = new URL('http://[fd00::5]:80/');
    expect(redirected(302, 'http://[fd00:0::0005]/x', asked)?.href).toBe('http://[fd00::5]/x');
  });
});

test('what has no scheme is relative', () => {
  expect(['/a', 'a', '//host/a', '?a', 'http://host/'].map(isRelative)).toEqual([
    true,
    true,
    true,
    true,
    false,
  ]);
});
