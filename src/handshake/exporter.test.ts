import { describe, expect, it } from 'vitest';
import { fromAscii, toHex } from '#runtime';
import { establishedPair, exchange, makePair } from './testing/pair.ts';

describe('exported key material (RFC 8446 7.5)', () => {
  it('is the same on both sides, and another for another label, context or length', () => {
    const { client, server } = establishedPair();
    const wanted = [
      ['EXPORTER-one', 32, undefined],
      ['EXPORTER-two', 32, undefined],
      ['EXPORTER-one', 32, fromAscii('context')],
      ['EXPORTER-one', 33, undefined],
    ] as const;
    const exported = wanted.map(([label, length, context]) => {
      const material = client.exportKeyingMaterial(label, length, context);
      expect(material).toHaveLength(length);
      expect(server.exportKeyingMaterial(label, length, context)).toEqual(material);
      return toHex(material);
    });
    expect(new Set(exported.map((hex) => hex.slice(0, 64))).size).toBe(exported.length);
  });

  it('takes no context for an empty one', () => {
    const { client } = establishedPair();
    const without = client.exportKeyingMaterial('EXPORTER-one', 32);
    expect(client.exportKeyingMaterial('EXPORTER-one', 32, new Uint8Array(0))).toEqual(without);
  });

  it('differs between connections and outlives key updates', () => {
    const first = establishedPair();
    const before = first.client.exportKeyingMaterial('EXPORTER-one', 32);
    first.client.updateKeys(true);
    exchange(first.client, first.server);
    expect(first.server.exportKeyingMaterial('EXPORTER-one', 32)).toEqual(before);
    expect(establishedPair().client.exportKeyingMaterial('EXPORTER-one', 32)).not.toEqual(before);
  });

  it('is refused before the handshake is complete, once the connection is over, and for what cannot be', () => {
    const { client } = makePair();
    expect(() => client.exportKeyingMaterial('EXPORTER-one', 32)).toThrow('not complete');
    const closed = establishedPair();
    closed.client.close();
    closed.server.close();
    exchange(closed.client, closed.server);
    expect(() => closed.client.exportKeyingMaterial('EXPORTER-one', 32)).toThrow('is over');
    const open = establishedPair().server;
    for (const length of [0, -1, 1.5, 255 * 48 + 1]) {
      expect(() => open.exportKeyingMaterial('EXPORTER-one', length)).toThrow(RangeError);
    }
    for (const label of ['', 'x'.repeat(250), 'caf\u00e9']) {
      expect(() => open.exportKeyingMaterial(label, 32)).toThrow(RangeError);
    }
  });
});
