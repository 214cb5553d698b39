import { encodeAlpn } from '../../extensions/alpn.ts';
import { encodeCookie } from '../../extensions/cookie.ts';
import { encodeExtensions } from '../../extensions/extensions.ts';
import { encodeClientShares } from '../../extensions/key-share.ts';
import type { ExtensionName } from '../../extensions/placement.ts';
import { encodeCertificateSchemes } from '../../extensions/signature-algorithms.ts';
import { encodeServerName } from '../../extensions/server-name.ts';
import { encodeOfferedVersions, TLS13 } from '../../extensions/supported-versions.ts';
import { GROUPS, type GroupName } from '../../groups.ts';
import { generateKeyShare, type KeyShare } from '../../key-exchange.ts';
import { encodeClientHello } from '../../messages/client-hello.ts';
import type { Port } from '../../port.ts';
import { schemeIds } from '../../schemes.ts';
import { SUITES } from '../../suites.ts';
import { numbers16 } from '../../wire/writer.ts';
import type { ClientContext, SentHello } from './context.ts';

/** Makes the key pairs for these groups. */
export function makeKeyShares(groups: readonly GroupName[], port: Port): readonly KeyShare[] {
  return port.measure('key-exchange', () => groups.map((group) => generateKeyShare(port.crypto, group)));
}

/** RFC 8446 4.1.2: sends the first ClientHello, or the second one with the server's group and cookie. */
export function sendClientHello(
  context: ClientContext,
  keyShares: readonly KeyShare[],
  cookie: Uint8Array | undefined,
  port: Port,
): SentHello {
  const { parameters, serverName } = context;
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
    ['cookie', cookie === undefined ? undefined : encodeCookie(cookie)],
    ['supported_versions', encodeOfferedVersions([TLS13])],
    ['key_share', encodeClientShares(shares)],
  ];
  const body = encodeClientHello({
    random: context.random,
    sessionId: context.sessionId,
    suites: parameters.suites.map((name) => SUITES[name].id),
    extensions: encodeExtensions(entries),
  });
  port.send('client_hello', body);
  return {
    keyShares,
    offered: entries.filter(([, value]) => value !== undefined).map(([name]) => name),
  };
}
