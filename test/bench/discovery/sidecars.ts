/**
 * Some of the simulated sidecars of test/bench/discovery/bench.ts, in a process of their own: one process could not keep
 * thousands of connections alive. Started by fork; arguments: port of the controller, the first one's number, how many, how
 * many Services there are.
 */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { nodeProvider } from '#handshake/crypto';
import { credentialOf, FakeVerifier, type Identity, makeIdentity } from '#handshake/testing';
import { systemClock } from '#runtime';
import { rpcDiscovery } from '#sidecar/discover';
import { SHARED, serviceAddress } from './cluster.ts';

export type SidecarsRequest =
  | { readonly type: 'connect'; readonly keys: readonly { readonly name: string; readonly pem: string }[] }
  /** To be told when all have heard of this endpoint of the shared Service. */
  | { readonly type: 'await'; readonly address: string }
  | { readonly type: 'state' };
export type SidecarsReport =
  | { readonly type: 'connected' }
  | { readonly type: 'heard' }
  | {
      readonly type: 'state';
      /** Whose subscriptions were all answered. */
      readonly answered: number;
      readonly renewals: number;
      readonly broken: number;
      /** Why, and how often. */
      readonly reasons: Readonly<Record<string, number>>;
      readonly cpuMilliseconds: number;
      readonly rss: number;
    };

const [port = 0, first = 0, count = 0, services = 1] = process.argv.slice(2).map(Number);
const SUBSCRIPTIONS = 20;
const RENEW_MILLISECONDS = 3_300;
const AT_ONCE = 32;

let answered = 0;
let renewals = 0;
let broken = 0;
const reasons: Record<string, number> = {};
const change = { address: 'none', heard: 0 };
const report = (message: SidecarsReport): void => void process.send?.(message);

process.on('message', (message: SidecarsRequest) => {
  if (message.type === 'connect') void connectAll(message.keys);
  else if (message.type === 'await') Object.assign(change, { address: message.address, heard: 0 });
  else {
    const { user, system } = process.cpuUsage();
    const cpuMilliseconds = (user + system) / 1_000;
    report({
      type: 'state',
      ...{ answered, renewals, broken, reasons, cpuMilliseconds, rss: process.memoryUsage.rss() },
    });
  }
});
process.on('disconnect', () => process.exit());

async function connectAll(keys: readonly { readonly name: string; readonly pem: string }[]): Promise<void> {
  // The certificate is the same bytes for the same name; the key is the controller's.
  const identities = keys.map(({ name, pem }): Identity => {
    const privateKey = createPrivateKey(pem);
    const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
    const made = makeIdentity(name);
    return { ...made, privateKey, peer: { ...made.peer, publicKey: new Uint8Array(spki) } };
  });
  const own = identities.find(({ name }) => name === 'sidecar');
  if (own === undefined) throw new Error('the controller made no identity for sidecars');
  const verifier = new FakeVerifier(identities);
  for (let from = first; from < first + count; from += AT_ONCE) {
    const ready = [];
    for (let index = from; index < Math.min(from + AT_ONCE, first + count); index += 1) {
      ready.push(connect(index, own, verifier));
    }
    await Promise.all(ready);
  }
  report({ type: 'connected' });
}

/** Resolves when every address that it asked for is answered, or it broke. */
function connect(index: number, own: Identity, verifier: FakeVerifier): Promise<void> {
  return new Promise((resolve) => {
    let answers = 0;
    const stream = rpcDiscovery({
      target: { host: '127.0.0.1', port },
      tls: () => ({ crypto: nodeProvider, verifier, credential: credentialOf(own) }),
      clock: systemClock,
    })({
      response({ answer, renewed }) {
        if (renewed) renewals += 1;
        if (!answer) return;
        answers += 1;
        if (answers === SUBSCRIPTIONS) {
          answered += 1;
          resolve();
        }
        if (answer.key?.address !== SHARED) return;
        if (!answer.service?.endpoints.some(({ address }) => address === change.address)) return;
        change.heard += 1;
        if (change.heard === count) report({ type: 'heard' });
      },
      ended({ reason, detail }) {
        broken += 1;
        const why = `${reason.code} ${detail.slice(0, 80)}`;
        reasons[why] = (reasons[why] ?? 0) + 1;
        resolve();
      },
    });
    stream.send({ start: {} });
    const others = Array.from(
      { length: SUBSCRIPTIONS - 1 },
      (_, n) => 1 + ((index * 7 + n * 131) % (services - 1)),
    );
    const addresses = [SHARED, ...others.map(serviceAddress)];
    stream.send({
      subscribe: { keys: addresses.map((address) => ({ key: { address, port: 80 }, version: '' })) },
    });
    let sequence = 0;
    const renew = (): void => {
      sequence += 1;
      stream.send({ renew: { sequence } });
      systemClock.after(RENEW_MILLISECONDS, renew);
    };
    systemClock.after(Math.random() * RENEW_MILLISECONDS, renew);
  });
}
