import {
  constants,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
  verify,
  X509Certificate,
} from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { concat, EMPTY, toHex } from '#runtime';
import { ALERTS } from '../alert.ts';
import { type CryptoProvider, Secret } from '../crypto/index.ts';
import { decodeServerShare } from '../extensions/key-share.ts';
import { decodeCertificate } from '../messages/certificate.ts';
import { decodeCertificateVerify } from '../messages/certificate-verify.ts';
import { decodeClientHello } from '../messages/client-hello.ts';
import { decodeMessage, encodeMessage } from '../messages/message.ts';
import type { MessageName } from '../messages/names.ts';
import { decodeServerHello } from '../messages/server-hello.ts';
import { HEADER_LENGTH } from '../record/header.ts';
import { CipherState } from '../record/cipher-state.ts';
import { Joiner } from '../record/joiner.ts';
import { SCHEMES } from '../schemes.ts';
import { SUITES } from '../suites.ts';
import { testProvider } from '../testing/provider.ts';
import { RETRY, SIMPLE } from '../testing/rfc8448.ts';
import { Transcript } from '../transcript.ts';
import { checkCertificateVerify } from './certificate-verify.ts';
import { checkFinished, verifyData } from './finished.ts';
import { Deriver, EarlyStage } from './key-schedule.ts';
import { trafficKeys } from './traffic-keys.ts';
import { acceptVerdict } from '../verify/verdict.ts';

const suite = SUITES.TLS_AES_128_GCM_SHA256;

const deriver = new Deriver(testProvider, suite);

function keysOf(secret: Secret): CipherState {
  return trafficKeys(testProvider, suite, secret);
}

function open(cipher: CipherState, record: Uint8Array) {
  return cipher.open(record.subarray(0, HEADER_LENGTH), record.subarray(HEADER_LENGTH));
}

function seal(cipher: CipherState, type: Parameters<CipherState['seal']>[0], content: Uint8Array): string {
  const out = new Uint8Array(CipherState.sealedLength(content.length));
  out.set(content, CipherState.contentAt(0));
  expect(cipher.seal(type, content.length, out, 0)).toBe(out.length);
  return toHex(out);
}

/** Both traces show the same: transcript through ServerHello, then the flights under the keys that follow from it. */
function replay(transcript: Transcript, shared: Uint8Array, flight: Uint8Array) {
  const schedule = new EarlyStage(testProvider, suite).intoHandshake(new Secret(shared));
  const helloHash = transcript.value();
  const clientSecret = schedule.clientTraffic(helloHash);
  const serverSecret = schedule.serverTraffic(helloHash);

  const joiner = new Joiner();
  joiner.push(open(keysOf(serverSecret), flight).content);
  const names: MessageName[] = [];
  let leaf: Uint8Array = EMPTY;
  for (let message = joiner.next(); message !== undefined; message = joiner.next()) {
    const body = message.raw.subarray(4);
    names.push(message.name);
    if (message.name === 'certificate') leaf = decodeCertificate(body).chain[0]!;
    if (message.name === 'certificate_verify') expectSignature(leaf, transcript.value(), body);
    if (message.name === 'finished') {
      checkFinished(testProvider, suite, serverSecret, transcript.value(), body);
      expect(toHex(verifyData(testProvider, suite, serverSecret, transcript.value()))).toBe(toHex(body));
    }
    transcript.add(message.raw);
  }
  expect(names).toEqual(['encrypted_extensions', 'certificate', 'certificate_verify', 'finished']);

  const finishedHash = transcript.value();
  const master = schedule.intoMaster();
  const clientFinished = encodeMessage(
    'finished',
    verifyData(testProvider, suite, clientSecret, finishedHash),
  );
  return {
    helloHash,
    clientSecret,
    serverSecret,
    clientFinished: seal(keysOf(clientSecret), 'handshake', clientFinished),
    clientTraffic: master.clientTraffic(finishedHash),
    serverTraffic: master.serverTraffic(finishedHash),
    exporter: master.exporter(finishedHash),
  };
}

/** The certificate of the traces has an RSA key of 1024 bits and was signed with rsa_pss_rsae_sha256. */
function expectSignature(leaf: Uint8Array, hash: Uint8Array, body: Uint8Array): void {
  const publicKey = new X509Certificate(leaf).publicKey.export({ type: 'spki', format: 'der' });
  const peer = { publicKey, keyType: 'rsa', identity: 'rsa', serial: '02', notAfter: 0 } as const;
  const believed = acceptVerdict({ ok: true, value: peer });
  const message = decodeCertificateVerify(body);
  expect(message.scheme).toBe(SCHEMES.rsa_pss_rsae_sha256.id);
  const check = (crypto: CryptoProvider) =>
    checkCertificateVerify(crypto, believed, ['rsa_pss_rsae_sha256'], 'server', hash, message);
  check({ ...testProvider, verify: verifyPssSha256 });
  // A key of that size is no longer believed.
  expect(() => check(testProvider)).toThrow('incorrect-signature');
}

/** CryptoProvider.verify for the one scheme, whatever the size of the key. */
function verifyPssSha256(
  _scheme: string,
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return verify('sha256', message, { key, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }, signature);
}

describe('RFC 8448 3, simple 1-RTT handshake', () => {
  const transcript = new Transcript(testProvider);
  transcript.add(SIMPLE.clientHello);
  transcript.add(SIMPLE.serverHello);
  transcript.start(suite.hash);

  it('the hellos are read', () => {
    const hello = decodeClientHello(SIMPLE.clientHello.subarray(4));
    expect(hello).toMatchObject({
      serverName: 'server',
      versions: [0x0304],
      suites: [0x1301, 0x1303, 0x1302],
    });
    expect(decodeServerHello(SIMPLE.serverHello.subarray(4))).toMatchObject({
      suite: suite.id,
      isRetry: false,
    });
  });

  it('X25519 gives the shared secret', () => {
    const pkcs8 = concat(Buffer.from('302e020100300506032b656e04220420', 'hex'), SIMPLE.clientPrivateKey);
    const privateKey = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
    const head = Buffer.from('302a300506032b656e032100', 'hex');
    expect(toHex(agree(privateKey, head, serverShare(SIMPLE.serverHello)))).toBe(toHex(SIMPLE.shared));
  });

  it('every secret, key, IV, signature, Finished and record is the one of the trace', () => {
    const trace = replay(transcript, SIMPLE.shared.slice(), SIMPLE.serverFlight);
    expect(toHex(trace.helloHash)).toBe(toHex(SIMPLE.helloHash));
    for (const [secret, expected] of [
      [trace.clientSecret, SIMPLE.clientHandshakeSecret],
      [trace.serverSecret, SIMPLE.serverHandshakeSecret],
      [trace.clientTraffic, SIMPLE.clientTrafficSecret],
      [trace.serverTraffic, SIMPLE.serverTrafficSecret],
      [trace.exporter, SIMPLE.exporterSecret],
    ] as const) {
      expect(toHex(secret.expose())).toBe(toHex(expected));
    }
    const part = (secret: Secret, label: string, length: number) =>
      toHex(deriver.expandLabel(secret, label, EMPTY, length));
    expect(part(trace.serverSecret, 'key', 16)).toBe(toHex(SIMPLE.serverHandshakeKey));
    expect(part(trace.serverSecret, 'iv', 12)).toBe(toHex(SIMPLE.serverHandshakeIv));
    expect(part(trace.clientSecret, 'key', 16)).toBe(toHex(SIMPLE.clientHandshakeKey));
    expect(part(trace.clientSecret, 'iv', 12)).toBe(toHex(SIMPLE.clientHandshakeIv));
    expect(trace.clientFinished).toBe(toHex(SIMPLE.clientFinished));

    const fromServer = keysOf(trace.serverTraffic);
    const ticket = open(fromServer, SIMPLE.ticket);
    expect(decodeMessage('new_session_ticket', ticket.content).body).toMatchObject({ lifetimeSeconds: 30 });
    const data = Uint8Array.from({ length: 50 }, (_, index) => index);
    expect([...open(fromServer, SIMPLE.serverData).content]).toEqual([...data]);
    expect([...open(fromServer, SIMPLE.serverAlert).content]).toEqual([1, ALERTS.close_notify]);
    const fromClient = keysOf(trace.clientTraffic);
    expect(seal(fromClient, 'application_data', data)).toBe(toHex(SIMPLE.clientData));
    expect(seal(fromClient, 'alert', Uint8Array.of(1, ALERTS.close_notify))).toBe(toHex(SIMPLE.clientAlert));
  });
});

describe('RFC 8448 5, HelloRetryRequest', () => {
  it('the transcript, the P-256 secret, the signature, Finished and records are those of the trace', () => {
    const retry = decodeServerHello(RETRY.helloRetryRequest.subarray(4));
    expect(retry.isRetry).toBe(true);
    const second = decodeClientHello(RETRY.secondClientHello.subarray(4));
    expect(second.keyShares).toHaveLength(1);

    const transcript = new Transcript(testProvider);
    transcript.add(RETRY.clientHello);
    transcript.start(suite.hash);
    transcript.replaceByHash();
    for (const message of [RETRY.helloRetryRequest, RETRY.secondClientHello, RETRY.serverHello]) {
      transcript.add(message);
    }
    const trace = replay(transcript, p256Secret(second.keyShares![0]!.keyExchange), RETRY.serverFlight);
    expect(trace.clientFinished).toBe(toHex(RETRY.clientFinished));
    const closeNotify = Uint8Array.of(1, ALERTS.close_notify);
    expect(seal(keysOf(trace.clientTraffic), 'alert', closeNotify)).toBe(toHex(RETRY.clientAlert));
    expect([...open(keysOf(trace.serverTraffic), RETRY.serverAlert).content]).toEqual([...closeNotify]);
  });
});

function serverShare(serverHello: Uint8Array): Uint8Array {
  return decodeServerShare(decodeServerHello(serverHello.subarray(4)).extensions.get('key_share')!)
    .keyExchange;
}

function agree(privateKey: KeyObject, head: Uint8Array, share: Uint8Array): Uint8Array {
  const key = Buffer.concat([head, share]);
  return diffieHellman({ privateKey, publicKey: createPublicKey({ key, format: 'der', type: 'spki' }) });
}

function p256Secret(ownShare: Uint8Array): Uint8Array {
  const [d, x, y] = [RETRY.clientPrivateKey, ownShare.subarray(1, 33), ownShare.subarray(33)].map((part) =>
    Buffer.from(part).toString('base64url'),
  );
  const key = { kty: 'EC', crv: 'P-256', d: d!, x: x!, y: y! };
  const head = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex');
  return agree(createPrivateKey({ key, format: 'jwk' }), head, serverShare(RETRY.serverHello));
}
