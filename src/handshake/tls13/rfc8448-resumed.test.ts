import { createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { EMPTY, toHex } from '#runtime';
import { ALERTS } from '../alert.ts';
import { nodeProvider, Secret } from '../crypto/index.ts';
import { decodeServerShare } from '../extensions/key-share.ts';
import { decodeSelectedIdentity } from '../extensions/pre-shared-key.ts';
import { decodeClientHello } from '../messages/client-hello.ts';
import { decodeMessage, encodeMessage } from '../messages/message.ts';
import { decodeNewSessionTicket } from '../messages/new-session-ticket.ts';
import { decodeServerHello } from '../messages/server-hello.ts';
import { CipherState } from '../record/cipher-state.ts';
import { HEADER_LENGTH } from '../record/header.ts';
import { Joiner } from '../record/joiner.ts';
import { SUITES } from '../suites.ts';
import { RESUMED, SIMPLE } from '../testing/rfc8448.ts';
import { Transcript } from '../transcript.ts';
import { checkFinished, verifyData } from './finished.ts';
import { Deriver, EarlyStage } from './key-schedule.ts';
import { checkBinder, computeBinder, type Psk } from './psk.ts';
import { trafficKeys } from './traffic-keys.ts';

const suite = SUITES.TLS_AES_128_GCM_SHA256;
const deriver = new Deriver(nodeProvider, suite);

function keysOf(secret: Secret): CipherState {
  return trafficKeys(nodeProvider, suite, secret);
}

function open(cipher: CipherState, record: Uint8Array) {
  return cipher.open(record.subarray(0, HEADER_LENGTH), record.subarray(HEADER_LENGTH));
}

function seal(cipher: CipherState, type: Parameters<CipherState['seal']>[0], content: Uint8Array): string {
  const out = new Uint8Array(CipherState.sealedLength(content.length));
  out.set(content, CipherState.contentAt(0));
  cipher.seal(type, content.length, out, 0);
  return toHex(out);
}

function hex(secret: Secret): string {
  return toHex(secret.expose());
}

function psk(): Psk {
  const secret = deriver.ticketPsk(new Secret(SIMPLE.resumptionSecret.slice()), Uint8Array.of(0, 0));
  return { kind: 'resumption', secret, suite };
}

/** X25519 between the trace's client key and the share of its ServerHello. */
function sharedSecret(): Secret {
  const der = Buffer.concat([
    Buffer.from('302e020100300506032b656e04220420', 'hex'),
    Buffer.from(RESUMED.clientPrivateKey),
  ]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const share = decodeServerShare(
    decodeServerHello(RESUMED.serverHello.subarray(4)).extensions.get('key_share')!,
  );
  const spki = Buffer.concat([Buffer.from('302a300506032b656e032100', 'hex'), share.keyExchange]);
  const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  return new Secret(diffieHellman({ privateKey, publicKey }));
}

describe('RFC 8448 4, resumed 0-RTT handshake', () => {
  const hello = decodeClientHello(RESUMED.clientHello.subarray(4));
  const offered = hello.offeredPsks!;
  const truncated = RESUMED.clientHello.subarray(0, RESUMED.clientHello.length - offered.bindersLength);

  it('the pre-shared key is the one of the ticket of section 3, and the ClientHello offers that ticket', () => {
    expect(hex(psk().secret)).toBe(toHex(SIMPLE.ticketPsk));
    const joiner = new Joiner();
    joiner.push(open(keysOf(new Secret(SIMPLE.serverTrafficSecret.slice())), SIMPLE.ticket).content);
    const ticket = decodeNewSessionTicket(joiner.next()!.raw.subarray(4));
    expect(ticket).toMatchObject({ lifetimeSeconds: 30, earlyDataLimit: 1024 });
    expect([...ticket.nonce]).toEqual([0, 0]);
    expect(offered.identities).toHaveLength(1);
    expect(toHex(offered.identities[0]!.identity)).toBe(toHex(ticket.ticket));
    // The trace is 6 ms later.
    expect((offered.identities[0]!.obfuscatedAge - ticket.ageAdd) >>> 0).toBe(6);
    expect(hello).toMatchObject({ pskModes: [1], offersEarlyData: true });
  });

  it('the binder is the one of the trace, and no bit of it may change', () => {
    const transcript = new Transcript(nodeProvider);
    expect(toHex(transcript.hashWith('sha256', truncated))).toBe(toHex(RESUMED.binderHash));
    const early = new EarlyStage(nodeProvider, suite, psk().secret);
    expect(hex(early.binderKey('res binder'))).toBe(toHex(RESUMED.binderKey));
    expect(hex(computeBinder(nodeProvider, psk(), transcript, truncated))).toBe(toHex(RESUMED.binder));
    expect(toHex(offered.binders[0]!)).toBe(toHex(RESUMED.binder));
    checkBinder(nodeProvider, psk(), transcript, truncated, offered.binders[0]!);
    for (let bit = 0; bit < RESUMED.binder.length * 8; bit += 1) {
      const changed = RESUMED.binder.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => checkBinder(nodeProvider, psk(), transcript, truncated, changed)).toThrow(
        'incorrect-binder',
      );
    }
  });

  it('every secret, key, Finished and record is the one of the trace', () => {
    const transcript = new Transcript(nodeProvider);
    transcript.add(RESUMED.clientHello);
    transcript.start('sha256');
    const early = new EarlyStage(nodeProvider, suite, psk().secret);
    const earlySecret = early.clientTraffic(transcript.value());
    expect(hex(earlySecret)).toBe(toHex(RESUMED.earlySecret));
    expect(hex(early.exporter(transcript.value()))).toBe(toHex(RESUMED.earlyExporter));
    const part = (label: string, length: number) =>
      toHex(deriver.expandLabel(earlySecret, label, EMPTY, length));
    expect(part('key', 16)).toBe(toHex(RESUMED.earlyKey));
    expect(part('iv', 12)).toBe(toHex(RESUMED.earlyIv));
    const earlyKeys = keysOf(earlySecret);
    expect(seal(earlyKeys, 'application_data', Buffer.from('ABCDEF'))).toBe(toHex(RESUMED.earlyData));

    transcript.add(RESUMED.serverHello);
    const selected = decodeServerHello(RESUMED.serverHello.subarray(4)).extensions.get('pre_shared_key')!;
    expect(decodeSelectedIdentity(selected)).toBe(0);
    const handshake = early.intoHandshake(sharedSecret());
    const clientSecret = handshake.clientTraffic(transcript.value());
    const serverSecret = handshake.serverTraffic(transcript.value());
    expect(hex(clientSecret)).toBe(toHex(RESUMED.clientHandshakeSecret));
    expect(hex(serverSecret)).toBe(toHex(RESUMED.serverHandshakeSecret));

    const joiner = new Joiner();
    joiner.push(open(keysOf(serverSecret), RESUMED.serverFlight).content);
    const extensions = joiner.next()!;
    expect(decodeMessage(extensions.name, extensions.raw).body).toMatchObject({ acceptsEarlyData: true });
    transcript.add(extensions.raw);
    const finished = joiner.next()!;
    checkFinished(nodeProvider, suite, serverSecret, transcript.value(), finished.raw.subarray(4));
    transcript.add(finished.raw);
    expect(joiner.isEmpty).toBe(true);

    const master = handshake.intoMaster();
    const throughFinished = transcript.value();
    const clientTraffic = master.clientTraffic(throughFinished);
    const serverTraffic = master.serverTraffic(throughFinished);
    expect(hex(clientTraffic)).toBe(toHex(RESUMED.clientTrafficSecret));
    expect(hex(serverTraffic)).toBe(toHex(RESUMED.serverTrafficSecret));
    expect(hex(master.exporter(throughFinished))).toBe(toHex(RESUMED.exporterSecret));

    const end = encodeMessage('end_of_early_data', EMPTY);
    expect(seal(earlyKeys, 'handshake', end)).toBe(toHex(RESUMED.endOfEarlyData));
    transcript.add(end);
    const body = verifyData(nodeProvider, suite, clientSecret, transcript.value());
    const clientFinished = encodeMessage('finished', body);
    expect(seal(keysOf(clientSecret), 'handshake', clientFinished)).toBe(toHex(RESUMED.clientFinished));
    transcript.add(clientFinished);
    expect(hex(master.resumption(transcript.value()))).toBe(toHex(RESUMED.resumptionSecret));

    const data = Uint8Array.from({ length: 50 }, (_, index) => index);
    const fromClient = keysOf(clientTraffic);
    expect(seal(fromClient, 'application_data', data)).toBe(toHex(RESUMED.clientData));
    const closeNotify = Uint8Array.of(1, ALERTS.close_notify);
    expect(seal(fromClient, 'alert', closeNotify)).toBe(toHex(RESUMED.clientAlert));
    const fromServer = keysOf(serverTraffic);
    expect(seal(fromServer, 'application_data', data)).toBe(toHex(RESUMED.serverData));
    expect(seal(fromServer, 'alert', closeNotify)).toBe(toHex(RESUMED.serverAlert));
  });
});
