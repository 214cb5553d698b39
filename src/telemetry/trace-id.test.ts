import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { random } from './testing/handshakes.ts';
import { traceIds } from './trace-id.ts';

const sha256 = (...parts: readonly (string | Uint8Array)[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

test("the trace id is the design's formula over both randoms, the client's span id follows from it", () => {
  const [client, server] = [random('c'), random('s')];
  const ids = traceIds(client, server);
  expect(ids.traceId).toBe(sha256('sallyport trace', client, server).slice(0, 32));
  expect(ids.clientSpanId).toBe(
    sha256('sallyport client span', Buffer.from(ids.traceId, 'hex')).slice(0, 16),
  );
  expect(ids.untrusted).toBe(false);
});

test('without a ServerHello the ids come from the client random under another label and are not trusted', () => {
  const client = random('c');
  const early = traceIds(client, undefined);
  expect(early.traceId).toBe(sha256('sallyport early trace', client).slice(0, 32));
  expect(early).toMatchObject({ untrusted: true, early: undefined });

  const later = traceIds(client, random('s'));
  expect(later.early).toEqual({ traceId: early.traceId, clientSpanId: early.clientSpanId });
  expect(later.traceId).not.toBe(early.traceId);
});

test('either random changes every id', () => {
  const base = traceIds(random('c'), random('s'));
  for (const other of [traceIds(random('d'), random('s')), traceIds(random('c'), random('t'))]) {
    expect(other.traceId).not.toBe(base.traceId);
    expect(other.clientSpanId).not.toBe(base.clientSpanId);
  }
});
