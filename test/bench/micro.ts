/**
 * What each provider pays for the primitives of a handshake and of a record. `npm run bench:micro`; `-- --json` for
 * programs.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { type CryptoProvider, nodeProvider, nodeSigner, openOpensslProvider } from '#handshake/crypto';
import { type Contest, measure } from './rounds.ts';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    milliseconds: { type: 'string', default: '100' },
  },
});

const openssl = await openOpensslProvider((difference) => console.error(`left to node: ${difference}`));
const providers: Readonly<Record<string, CryptoProvider>> = { openssl, node: nodeProvider };
const each = (make: (provider: CryptoProvider) => () => unknown): Contest['runs'] =>
  Object.fromEntries(Object.entries(providers).map(([name, provider]) => [name, make(provider)]));

const bytes = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const [key, message, nonce, header] = [bytes(32), bytes(1024), bytes(12), bytes(5)];
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const spki = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }));
const [ourSigner, nodesSigner] = [openssl.signer(privateKey), nodeSigner(privateKey)];
const signature = new Uint8Array(await nodesSigner.sign('ecdsa_secp256r1_sha256', message));

const contests: readonly Contest[] = [
  { name: 'SHA-256 of 1 KiB', runs: each((provider) => () => provider.hash('sha256', message)) },
  {
    name: 'snapshot of a running SHA-256',
    runs: each((provider) => {
      const running = provider.startHash('sha256');
      running.update(message);
      return () => running.snapshot();
    }),
  },
  {
    name: 'HMAC-SHA-256 of 100 B',
    runs: each((provider) => () => provider.hmac('sha256', key, message.subarray(0, 100))),
  },
  ...[64, 1024, 16_384].flatMap((length): Contest[] => [
    {
      name: `AES-128-GCM, seal ${length} B`,
      runs: each((provider) => {
        const aead = provider.aead('aes-128-gcm', key.slice(0, 16));
        const record = new Uint8Array(length + 16);
        return () => aead.seal(nonce, header, record.subarray(0, length), record, 0);
      }),
    },
    {
      name: `AES-128-GCM, open ${length} B (and copy it in)`,
      runs: each((provider) => {
        const aead = provider.aead('aes-128-gcm', key.slice(0, 16));
        const [sealed, input] = [new Uint8Array(length + 16), new Uint8Array(length + 16)];
        aead.seal(nonce, header, bytes(length), sealed, 0);
        return () => {
          input.set(sealed);
          if (aead.open(nonce, header, input) === undefined) throw new Error('not authentic');
        };
      }),
    },
  ]),
  ...(['x25519', 'secp256r1', 'secp384r1', 'mlkem768'] as const).flatMap((name): Contest[] => {
    const peer = nodeProvider.kems[name]?.generate().publicKey;
    if (peer === undefined) return [];
    return [
      {
        name: `${name}, make a key pair`,
        runs: each(
          ({ kems }) =>
            () =>
              kems[name]?.generate(),
        ),
      },
      {
        name: `${name}, answer a share`,
        runs: each(
          ({ kems }) =>
            () =>
              kems[name]?.encapsulate(peer),
        ),
      },
    ];
  }),
  {
    name: 'ECDSA P-256, sign',
    runs: {
      openssl: () => ourSigner.sign('ecdsa_secp256r1_sha256', message),
      node: () => nodesSigner.sign('ecdsa_secp256r1_sha256', message),
    },
  },
  {
    name: 'ECDSA P-256, verify',
    runs: each((provider) => () => provider.verify('ecdsa_secp256r1_sha256', spki, message, signature)),
  },
];

const standings = contests.map((contest) =>
  measure(contest, Number(options.rounds), Number(options.milliseconds)),
);
if (options.json) console.log(JSON.stringify(standings, null, 2));
else {
  const names = Object.keys(providers);
  const table = new Table({
    head: ['us of CPU', ...names, 'node / openssl'],
    style: { head: [], border: [] },
    colAligns: ['left', 'right', 'right', 'right'],
  });
  for (const { name, microseconds } of standings) {
    const { openssl: ours = Number.NaN, node = Number.NaN } = microseconds;
    table.push([name, ...names.map((who) => microseconds[who]?.toFixed(2)), (node / ours).toFixed(2)]);
  }
  console.log(table.toString());
}
