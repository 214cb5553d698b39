import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DerReader } from '../der/reader.ts';
import { encodePodIdentity, type PodIdentity, readPodIdentity } from './pod-identity.ts';

const text = fc.stringMatching(/^[A-Za-z0-9._:-]{0,253}$/);
const pod: fc.Arbitrary<PodIdentity> = fc.record({
  namespace: text,
  namespaceUid: text,
  serviceAccountName: text,
  serviceAccountUid: text,
  podName: text,
  podUid: text,
  nodeName: text,
  nodeUid: text,
});
const POD = {
  namespace: 'shop',
  namespaceUid: '',
  serviceAccountName: 'web',
  serviceAccountUid: 's',
  podName: 'web-0',
  podUid: 'p',
  nodeName: 'node-1',
  nodeUid: 'n',
};

test('goes there and back', () => {
  fc.assert(
    fc.property(pod, (each) => {
      expect(readPodIdentity(new DerReader(encodePodIdentity(each)))).toEqual(each);
    }),
  );
});

/** As encoding/asn1 of Go would write the structure of KEP-4317. */
test('is the encoding of KEP-4317', () => {
  const fields = ['shop', '', 'web', 's', 'web-0', 'p', 'node-1', 'n'];
  const body = fields.map((field, tag) =>
    Buffer.concat([Buffer.of(0x80 | tag, field.length), Buffer.from(field)]),
  );
  const bytes = Buffer.concat(body);
  expect(Buffer.from(encodePodIdentity(POD))).toEqual(Buffer.concat([Buffer.of(0x30, bytes.length), bytes]));
});

test('what no name of Kubernetes is made of is neither written nor read', () => {
  expect(() => encodePodIdentity({ ...POD, podName: 'web\n0' })).toThrow('podName');
  const bytes = encodePodIdentity(POD);
  bytes[bytes.indexOf('web-0'.charCodeAt(0), 10)] = 0x0a;
  expect(() => readPodIdentity(new DerReader(bytes))).toThrow('no name or UID');
  const missing = encodePodIdentity(POD).slice(0, -3);
  missing[1] = missing.length - 2;
  expect(() => readPodIdentity(new DerReader(missing))).toThrow('nodeUid');
});
