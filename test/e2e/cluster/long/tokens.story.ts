import { execFileSync } from 'node:child_process';
import { createSign, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { CONTROLLER } from '../controller-manifests.ts';
import { ControllerMesh } from '../controller-mesh.ts';
import { applicationContainer, type Namespace, pod } from '../namespace.ts';
import type { Order, Outcome } from '../programs/issue.ts';
import { story } from '../story.ts';

const WAIT = [applicationContainer('application', ['wait'])];

story(
  'a certificate is for the pod that a token was made for, and for nobody else',
  async ({ cluster, namespace }) => {
    const mesh = await ControllerMesh.install(cluster, namespace, ['honest', 'thief'], []);
    await namespace.apply(
      ...['honest', 'thief'].map((name) => pod(name, WAIT, { spec: { serviceAccountName: name } })),
    );
    await namespace.until('Ready', ['pod/honest', 'pod/thief']);
    const [replica = '', other = ''] = await mesh.replicaAddresses();
    expect(other).not.toBe('');
    const roots = await namespace.kubectl([
      'get',
      'configmap',
      CONTROLLER.trustBundle,
      '--output',
      'jsonpath={.data.trust-bundle\\.pem}',
    ]);
    const ask = async (
      from: string,
      what: Pick<Order, 'request' | 'token' | 'certificate'>,
      host = replica,
    ): Promise<Outcome> => {
      const order: Order = {
        host,
        namespace: CONTROLLER.namespace,
        serviceAccount: CONTROLLER.name,
        trustDomain: CONTROLLER.trustDomain,
        roots,
        ...what,
      };
      const said = await namespace.exec(
        from,
        ['node', '/app/issue.mjs', JSON.stringify(order)],
        'application',
      );
      return JSON.parse(said) as Outcome;
    };
    const identity = `spiffe://${CONTROLLER.trustDomain}/ns/${namespace.name}/sa/honest`;
    const admin = `spiffe://${CONTROLLER.trustDomain}/ns/kube-system/sa/admin`;

    const token = await tokenOf(namespace, 'honest');
    const first = requestOf();
    const got = await ask('honest', { token, request: first.request });
    if (!('chain' in got)) throw new Error(JSON.stringify(got));
    expect(uris(got.chain)).toEqual([identity]);
    const stolen = { chain: got.chain, key: first.key };

    const reasons = new Set<string>();
    const refused = async (
      reason: string,
      from: string,
      what: Pick<Order, 'request' | 'token' | 'certificate'>,
      host = replica,
    ): Promise<void> => {
      expect(await ask(from, what, host)).toMatchObject({ reason });
      reasons.add(reason);
      const lines = await mesh.controllerLines();
      expect(
        lines.some((line) => line.message === 'a certificate was refused' && line.reason === reason),
      ).toBe(true);
    };
    const { request } = requestOf();
    await refused('token-used-with-another-key', 'honest', { token, request });
    await refused('token-used-with-another-key', 'honest', { token, request }, other);
    await refused('token-of-another-pod', 'thief', { token: await tokenOf(namespace, 'honest'), request });
    await refused('token-wrong-audience', 'honest', {
      token: await tokenOf(namespace, 'honest', { audience: 'https://kubernetes.default.svc' }),
      request,
    });
    await refused('token-not-bound', 'honest', {
      token: await tokenOf(namespace, 'honest', { bound: false }),
      request,
    });
    await refused('token-expired', 'honest', {
      token: expired(token, await cluster.tokenKey()),
      request,
    });
    await refused('token-refused', 'honest', {
      token: forged(await tokenOf(namespace, 'honest')),
      request,
    });
    await refused('token-malformed', 'honest', { token: 'no token', request });
    await refused('certificate-missing', 'honest', { request });
    await refused('token-of-another-pod', 'thief', { certificate: stolen, request });
    // A request that asks for what its pod is not costs the token nothing: the last one here still serves.
    const fresh = await tokenOf(namespace, 'honest');
    const foreign = requestOf([admin]).request;
    const several = requestOf([identity, admin]).request;
    await refused('request-names-another', 'honest', { token: fresh, request: foreign });
    await refused('request-several-uris', 'honest', { token: fresh, request: several });
    await refused('request-names-another', 'honest', { certificate: stolen, request: foreign });
    const own = await ask('honest', { token: fresh, request: requestOf([identity]).request });
    expect('chain' in own && uris(own.chain)).toEqual([identity]);

    const renewed = await ask('honest', { certificate: stolen, request: requestOf().request });
    expect('chain' in renewed && uris(renewed.chain)).toEqual([identity]);
    await namespace.kubectl(['delete', 'pod', 'honest']);
    await refused('pod-unknown', 'thief', { certificate: stolen, request });

    const metrics = await mesh.controllerMetrics();
    for (const reason of reasons) {
      expect(metrics).toMatch(
        new RegExp(`sallyport_issuance_requests_total\\{[^}]*reason="${reason}"[^}]*\\} [1-9]`),
      );
    }
  },
  180_000,
);

function uris(chain: readonly string[]): string[] {
  const { subjectAltName = '' } = new X509Certificate(Buffer.from(chain[0] ?? '', 'base64'));
  return subjectAltName.split(', ').map((name) => name.replace(/^URI:/, ''));
}

/** A request over a new key that asks for these names. */
function requestOf(names: readonly string[] = []): { readonly request: string; readonly key: string } {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-request-'));
  try {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
    const [file, out] = [join(folder, 'key.pem'), join(folder, 'request.der')];
    writeFileSync(file, key);
    const asked =
      names.length === 0 ? [] : ['-addext', `subjectAltName=${names.map((name) => `URI:${name}`).join()}`];
    execFileSync(
      'openssl',
      ['req', '-new', '-key', file, '-subj', '/', '-outform', 'DER', '-out', out, ...asked],
      {
        stdio: 'ignore',
      },
    );
    return { request: readFileSync(out).toString('base64'), key };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** By TokenRequest, as the kubelet gets it. */
async function tokenOf(
  namespace: Namespace,
  account: string,
  { audience, bound = true }: { readonly audience?: string; readonly bound?: boolean } = {},
): Promise<string> {
  const object = bound ? ['--bound-object-kind=Pod', `--bound-object-name=${account}`] : [];
  const uid = bound ? [`--bound-object-uid=${await namespace.field(`pod/${account}`, '.metadata.uid')}`] : [];
  const args = [
    'create',
    'token',
    account,
    `--audience=${audience ?? CONTROLLER.audience}`,
    ...object,
    ...uid,
  ];
  return (await namespace.kubectl(args)).trim();
}

/** The same token, signed again by Kubernetes' key, of an hour ago. */
function expired(token: string, key: string): string {
  const [head = '', body = ''] = token.split('.');
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, number>;
  for (const name of ['exp', 'iat', 'nbf']) claims[name] = (claims[name] ?? 0) - 2 * 3_600;
  return sign(head, claims, key);
}

/** The same claims, signed by somebody. */
function forged(token: string): string {
  const [head = '', body = ''] = token.split('.');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as object;
  return sign(head, claims, privateKey.export({ type: 'pkcs8', format: 'pem' }));
}

function sign(head: string, claims: object, key: string): string {
  const signed = `${head}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
  return `${signed}.${createSign('RSA-SHA256').update(signed).sign(key, 'base64url')}`;
}
