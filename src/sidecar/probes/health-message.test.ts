import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeHealthStatus, encodeHealthRequest } from './health-message.ts';

test('a request names the service', () => {
  expect(encodeHealthRequest('').toString('hex')).toBe('0000000000');
  expect(encodeHealthRequest('a').toString('hex')).toBe('00000000030a0161');
  const long = encodeHealthRequest('x'.repeat(300));
  expect(long.subarray(0, 8).toString('hex')).toBe(`00${(303).toString(16).padStart(8, '0')}0aac02`);
});

test('an answer has a status, and is nothing else', () => {
  const status = (hex: string): number | undefined => decodeHealthStatus(Buffer.from(hex, 'hex'));
  expect(status('00000000020801')).toBe(1);
  expect(status('00000000020802')).toBe(2);
  expect(status('0000000000')).toBe(0);
  // Compressed, cut, too long, another field, nothing.
  for (const hex of ['01000000020801', '000000000208', '0000000002080100', '00000000021001', '']) {
    expect(status(hex), hex).toBeUndefined();
  }
});

test('whatever an application answers is SERVING only if it says so', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
      const serving = Buffer.from(bytes).toString('hex') === '00000000020801';
      expect(decodeHealthStatus(Buffer.from(bytes)) === 1).toBe(serving);
    }),
  );
});
