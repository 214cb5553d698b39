import { expect, test } from 'vitest';
import type { CryptoProvider } from './crypto/index.ts';
import { REASONS } from './reasons.ts';
import { exchange, makePair, type Pair } from './testing/pair.ts';
import { testProvider } from './testing/provider.ts';

/** A provider that keeps a reference to every key it was given, as a debugger would find them. */
function remembering(): { readonly crypto: CryptoProvider; readonly keys: Set<Uint8Array> } {
  const keys = new Set<Uint8Array>();
  const crypto: CryptoProvider = {
    ...testProvider,
    aead(name, key) {
      keys.add(key);
      return testProvider.aead(name, key);
    },
    hmac(hash, key, bytes) {
      keys.add(key);
      return testProvider.hmac(hash, key, bytes);
    },
  };
  return { crypto, keys };
}

const ENDINGS: Readonly<Record<string, (pair: Pair) => void>> = {
  'a clean end of both directions': ({ client, server }) => {
    exchange(client, server);
    client.close();
    server.close();
    exchange(client, server);
  },
  'a key update and a clean end': ({ client, server }) => {
    exchange(client, server);
    client.updateKeys(true);
    exchange(client, server);
    server.write(Buffer.from('answered under the new key'));
    exchange(client, server);
    client.close();
    server.close();
    exchange(client, server);
  },
  'a failure in traffic': ({ client, server }) => {
    exchange(client, server);
    client.abort(REASONS['internal-error']);
    exchange(client, server);
  },
  "a handshake that fails at the client's Finished": ({ client, server }) => {
    let flight = 0;
    exchange(client, server, (bytes) => {
      flight += 1;
      const altered = Uint8Array.from(bytes);
      if (flight === 2) altered[altered.length - 1]! ^= 1;
      return [altered];
    });
  },
  'a handshake that is given up while the server waits for its signature': ({ client, server }) => {
    server.receive(client.takeOutput());
    server.abort(REASONS['handshake-timeout']);
    client.receive(server.takeOutput());
    client.endOfInput();
  },
};

for (const [how, end] of Object.entries(ENDINGS)) {
  test(`no traffic key and no secret is left after ${how}`, () => {
    const ours = remembering();
    const theirs = remembering();
    end(makePair({ client: { crypto: ours.crypto }, server: { crypto: theirs.crypto } }));
    for (const { keys } of [ours, theirs]) {
      const left = [...keys].filter((key) => key.some((byte) => byte !== 0));
      expect(left).toEqual([]);
    }
    expect(theirs.keys.size).toBeGreaterThan(0);
  });
}

test('a wiped key seals and opens nothing', () => {
  const aead = testProvider.aead('aes-128-gcm', new Uint8Array(16).fill(7));
  aead.wipe();
  const nonce = new Uint8Array(12);
  expect(() => aead.seal(nonce, nonce, nonce, new Uint8Array(64), 0)).toThrow('wiped');
  expect(() => aead.open(nonce, nonce, new Uint8Array(32))).toThrow('wiped');
});
