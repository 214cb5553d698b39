/**
 * Asks the controller for a certificate with whatever it is given, honest or not, from the pod that it runs in.
 *
 * issue.mjs JSON    writes {"chain": [DER in base64, ...]}, or {"reason", "detail"}
 */
import { createPrivateKey } from 'node:crypto';
import type { ClientConfig } from '#handshake';
import { nodeProvider, nodeSigner } from '#handshake/crypto';
import { parseTrustBundle, serviceAccountId, spiffeVerifier } from '#identity';
import { ISSUANCE, RpcChannel } from '#rpc';
import { systemClock, Watch } from '#runtime';

export interface Order {
  readonly host: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly trustDomain: string;
  /** PEM. */
  readonly roots: string;
  /** PKCS #10, DER, base64. */
  readonly request: string;
  /** Asks by token; otherwise by certificate. */
  readonly token?: string;
  /** What the connection shows. The key is PEM, the chain DER in base64. */
  readonly certificate?: { readonly chain: readonly string[]; readonly key: string };
}

export type Outcome =
  | { readonly chain: readonly string[] }
  | { readonly reason: string; readonly detail: string };

const order = JSON.parse(process.argv[2] ?? '') as Order;
const roots = parseTrustBundle(order.trustDomain, order.roots);
if (!roots.ok) throw new Error(roots.error.join('\n'));
const controller = serviceAccountId(order.trustDomain, order.namespace, order.serviceAccount).toString();

const channel = new RpcChannel({
  target: { host: order.host, port: 15_010 },
  clock: systemClock,
  tls: () => ({
    crypto: nodeProvider,
    verifier: spiffeVerifier({
      bundle: new Watch(roots.value),
      clock: systemClock,
      accept: (id) => id.toString() === controller,
    }),
    ...shown(),
  }),
});
const options = { timeoutMilliseconds: 20_000, signal: new AbortController().signal };
const certificateRequest = Buffer.from(order.request, 'base64');
const answer =
  order.token === undefined
    ? await channel.unary(ISSUANCE.Renew, { certificateRequest }, options)
    : await channel.unary(ISSUANCE.Issue, { certificateRequest, token: order.token }, options);
channel.close();
const outcome: Outcome = answer.ok
  ? { chain: answer.value.chain.map((der) => Buffer.from(der).toString('base64')) }
  : { reason: answer.error.remoteCode ?? answer.error.reason.code, detail: answer.error.detail };
console.log(JSON.stringify(outcome));
process.exit(0);

function shown(): Partial<Pick<ClientConfig, 'credential'>> {
  if (order.certificate === undefined) return {};
  const { chain, key } = order.certificate;
  const signer = nodeSigner(createPrivateKey(key));
  return { credential: { chain: chain.map((der) => Buffer.from(der, 'base64')), signer } };
}
