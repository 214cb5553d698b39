import { expect } from 'vitest';
import { eventually } from '../command.ts';
import { IMAGES } from '../images.ts';
import { Installation } from '../installation.ts';
import { type Manifest, pod, service } from '../namespace.ts';
import { story } from '../story.ts';

const SIGNER = 'mesh.sallyport.dev/story';
const API = '/apis/certificates.k8s.io/v1beta1';

/** Greets whoever proves an identity under the roots, and says which. Reads its files for each connection. */
const SERVER = `
const { createServer } = require('node:tls');
const { readFileSync } = require('node:fs');
const bundle = readFileSync('/certificates/credentials.pem');
const ca = readFileSync('/certificates/trust-bundle.pem');
createServer({ cert: bundle, key: bundle, ca, requestCert: true, rejectUnauthorized: true }, (socket) => {
  socket.on('error', () => undefined);
  socket.end(socket.getPeerCertificate().subjectaltname);
}).listen(8443);
`;

const CLIENT = `
const { connect } = require('node:tls');
const { readFileSync } = require('node:fs');
const bundle = readFileSync('/certificates/credentials.pem');
const ca = readFileSync('/certificates/trust-bundle.pem');
const identity = { checkServerIdentity: (_, { subjectaltname }) => console.log('server ' + subjectaltname) };
const socket = connect({ host: 'server', port: 8443, cert: bundle, key: bundle, ca, ...identity });
socket.on('data', (text) => console.log('client ' + text));
socket.on('error', (error) => { console.log(String(error)); process.exitCode = 1; });
`;

story(
  'pods without a sidecar mount certificates of the mesh; what the signer does not give is said where people look',
  async ({ cluster, namespace, turn, onTestFinished, skip }) => {
    const served = await cluster.kubectl(['get', '--raw', API]).catch(String);
    if (!served.includes('podcertificaterequests'))
      skip('this cluster does not serve PodCertificateRequests');
    const mesh = new Installation(cluster, namespace.name.replace('story', 'sallyport'));
    // In the opposite order, whatever comes of each.
    onTestFinished(await turn.withMesh());
    onTestFinished(() => mesh.remove());
    await mesh.install(`podCertificates.signerName=${SIGNER}`);
    const waiting = (name: string, certificate: object, script: string): Manifest =>
      pod(
        name,
        [
          {
            name: 'application',
            image: IMAGES.application,
            imagePullPolicy: 'Never',
            command: ['node', '-e', script],
            volumeMounts: [{ name: 'certificates', mountPath: '/certificates', readOnly: true }],
          },
        ],
        {
          spec: {
            serviceAccountName: name,
            volumes: [
              {
                name: 'certificates',
                projected: {
                  sources: [
                    {
                      podCertificate: {
                        signerName: SIGNER,
                        keyType: 'ECDSAP256',
                        credentialBundlePath: 'credentials.pem',
                        ...certificate,
                      },
                    },
                    {
                      configMap: {
                        name: `${mesh.name}-trust-bundle`,
                        items: [{ key: 'trust-bundle.pem', path: 'trust-bundle.pem' }],
                      },
                    },
                  ],
                },
              },
            ],
          },
        },
      );
    await namespace.apply(
      ...['server', 'client', 'rsa', 'annotated'].map((name) => ({
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name },
      })),
      waiting('server', {}, SERVER),
      waiting('client', { maxExpirationSeconds: 3600 }, 'setInterval(() => undefined, 1000)'),
      waiting('rsa', { keyType: 'RSA3072' }, ''),
      waiting('annotated', { userAnnotations: { 'example.org/role': 'admin' } }, ''),
      service('server', 8443),
    );
    await namespace.until('Ready', ['pod/server', 'pod/client']);
    const id = (name: string): string => `URI:spiffe://cluster.local/ns/${namespace.name}/sa/${name}`;
    await eventually(async () => {
      const said = await namespace.exec('client', ['node', '-e', CLIENT]);
      expect(said.trim().split('\n')).toEqual([`server ${id('server')}`, `client ${id('client')}`]);
    });
    // The API server took what the signer said of times; that of the client is the shortest there is.
    const lives = await namespace.kubectl([
      ...['get', 'podcertificaterequests', '--output'],
      'jsonpath={range .items[*]}{.spec.podName} {.status.notBefore} {.status.notAfter}{"\\n"}{end}',
    ]);
    const [, from = '', to = ''] = /^client (\S+) (\S+)$/m.exec(lives) ?? [];
    expect(Date.parse(to) - Date.parse(from)).toBe(3_600_000);

    // The kubelet tells of a denial in the pod's events.
    await eventually(async () => {
      const events = await namespace.kubectl([
        ...['get', 'events', '--field-selector=reason=Denied', '--output'],
        'jsonpath={range .items[*]}{.involvedObject.name}: {.message}{"\\n"}{end}',
      ]);
      const all = `${events}${await namespace.kubectl(['get', 'events', '--output', 'wide'])}`;
      expect(all).toContain('UnsupportedKeyType');
      expect(all).toContain('PodCertificateAnnotated');
    });
    const log = await mesh.kubectl(['logs', `deployment/${mesh.name}-controller`]);
    expect(log).toMatch(/"method":"pod-certificate-request".*"certificate issued"/);
    expect(log).toMatch(/"reason":"request-unsupported-key".*"a certificate was refused"/);
  },
  900_000,
);
