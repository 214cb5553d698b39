import { encodeAlpn } from '../../extensions/alpn.ts';
import { EARLY_DATA_INDICATION } from '../../extensions/early-data.ts';
import { encodeCertificateAuthorities } from '../../extensions/certificate-authorities.ts';
import { encodeCookie } from '../../extensions/cookie.ts';
import { encodeExtensions } from '../../extensions/extensions.ts';
import { encodeClientShares } from '../../extensions/key-share.ts';
import type { ExtensionName } from '../../extensions/placement.ts';
import { encodePskModes } from '../../extensions/psk-key-exchange-modes.ts';
import { encodeCertificateSchemes } from '../../extensions/signature-algorithms.ts';
import { encodeServerName } from '../../extensions/server-name.ts';
import { OCSP_REQUEST } from '../../extensions/status-request.ts';
import { encodeOfferedVersions, TLS13 } from '../../extensions/supported-versions.ts';
import { GROUPS, type GroupName } from '../../groups.ts';
import { generateKeyShare, type KeyShare } from '../../key-exchange.ts';
import { encodeClientHello } from '../../messages/client-hello.ts';
import { encodeMessage, MESSAGE_HEADER_LENGTH } from '../../messages/message.ts';
import type { Port } from '../../port.ts';
import { schemeIds } from '../../schemes.ts';
import { SUITES } from '../../suites.ts';
import { numbers16 } from '../../wire/writer.ts';
import { EarlyStage } from '../key-schedule.ts';
import type { ClientContext, SentHello } from './context.ts';
import type { PskOffer } from './psk-offer.ts';

/** Makes the key pairs for these groups. */
export function makeKeyShares(groups: readonly GroupName[], port: Port): readonly KeyShare[] {
  return port.measure('key-exchange', () => groups.map((group) => generateKeyShare(port.crypto, group)));
}

/** RFC 8446 4.1.2: sends the first ClientHello, or the second one with the server's group and cookie. */
export function sendClientHello(
  context: ClientContext,
  keyShares: readonly KeyShare[],
  cookie: Uint8Array | undefined,
  offer: PskOffer | undefined,
  port: Port,
  again?: 'again',
): SentHello {
  const { parameters, serverName } = context;
  const earlyData = !again && mayOfferEarlyData(context, offer);
  const shares = keyShares.map(({ group, share }) => ({ group: GROUPS[group].id, keyExchange: share }));
  const schemes = schemeIds(parameters.schemes);
  const entries: readonly (readonly [ExtensionName, Uint8Array | undefined])[] = [
    ['server_name', serverName === undefined ? undefined : encodeServerName(serverName)],
    ['supported_groups', numbers16(parameters.groups.map((name) => GROUPS[name].id))],
    ['signature_algorithms', numbers16(schemes)],
    [
      'signature_algorithms_cert',
      encodeCertificateSchemes(schemeIds(parameters.certificateSchemes), schemes),
    ],
    [
      'application_layer_protocol_negotiation',
      parameters.alpn.length === 0 ? undefined : encodeAlpn(parameters.alpn),
    ],
    ['status_request', context.config.requestOcspResponse ? OCSP_REQUEST : undefined],
    ['certificate_authorities', encodeCertificateAuthorities(context.config.certificateAuthorities ?? [])],
    ['cookie', cookie === undefined ? undefined : encodeCookie(cookie)],
    ['supported_versions', encodeOfferedVersions([TLS13])],
    ['key_share', encodeClientShares(shares)],
    // RFC 8446 4.2.9: also without a key to offer, so that the server knows that its tickets are of use.
    ['psk_key_exchange_modes', usesPsks(context) ? encodePskModes() : undefined],
    ['early_data', earlyData ? EARLY_DATA_INDICATION : undefined],
    // RFC 8446 4.2.11: always the last.
    ['pre_shared_key', offer?.encode()],
  ];
  const body = encodeClientHello({
    random: context.random,
    sessionId: context.sessionId,
    suites: parameters.suites.map((name) => SUITES[name].id),
    extensions: encodeExtensions(entries),
  });
  const message = encodeMessage('client_hello', body);
  const bound = offer === undefined ? message : offer.bind(message, port);
  port.send('client_hello', bound.subarray(MESSAGE_HEADER_LENGTH));
  if (earlyData) openEarlyData(context, offer!, bound, port);
  return {
    keyShares,
    offer,
    earlyData,
    offered: entries.filter(([, value]) => value !== undefined).map(([name]) => name),
  };
}

function usesPsks({ config }: ClientContext): boolean {
  return config.sessions !== undefined || (config.externalPsks ?? []).length > 0;
}

/** RFC 8446 4.2.10: only with the first key of the offer, and only if its ticket allows it. */
function mayOfferEarlyData({ config, parameters }: ClientContext, offer: PskOffer | undefined): boolean {
  const session = offer?.usable?.session;
  if (config.earlyData !== true || session === undefined || session.earlyDataLimit === 0) return false;
  // The protocol of early data is that of the session: who would not speak it now sends none.
  return session.alpn === undefined || parameters.alpn.includes(session.alpn);
}

/** RFC 8446 7.1: from here until the server has answered, what is sent is early data. */
function openEarlyData({ random }: ClientContext, offer: PskOffer, message: Uint8Array, port: Port): void {
  const { session } = offer.usable!;
  const suite = SUITES[session.suite];
  const schedule = new EarlyStage(port.crypto, suite, session.secret);
  const hash = port.crypto.hash(suite.hash, message);
  const secret = schedule.clientTraffic(hash);
  port.wipeAtEnd(secret);
  port.logSecret('CLIENT_EARLY_TRAFFIC_SECRET', random, secret);
  port.keepEarlyExporter(suite, schedule.exporter(hash));
  schedule.wipe();
  // RFC 8446 D.4: the dummy record stands before what is first sent under keys.
  port.sendChangeCipherSpec();
  port.changeWriteKeys(suite, secret);
  port.earlyOutput.open(session.earlyDataLimit);
}
