import { encodeAlpn } from '../../extensions/alpn.ts';
import { encodeCookie } from '../../extensions/cookie.ts';
import { encodeExtensions } from '../../extensions/extensions.ts';
import { encodeClientShares } from '../../extensions/key-share.ts';
import type { ExtensionName } from '../../extensions/placement.ts';
import { encodeServerName } from '../../extensions/server-name.ts';
import { encodeOfferedVersions, TLS13 } from '../../extensions/supported-versions.ts';
import { GROUPS, type GroupName } from '../../groups.ts';
import { encodeClientHello } from '../../messages/client-hello.ts';
import type { Port } from '../../port.ts';
import { SCHEMES } from '../../schemes.ts';
import { SUITES } from '../../suites.ts';
import { numbers16 } from '../../wire/writer.ts';
import type { ClientContext, SentHello } from './context.ts';

/** RFC 8446 4.1.2: sends the first ClientHello, or the second one with the server's group and cookie. */
export function sendClientHello(
  context: ClientContext,
  group: GroupName,
  cookie: Uint8Array | undefined,
  port: Port,
): SentHello {
  const { parameters, serverName } = context;
  const keyExchange = port.measure('key-exchange', () => port.crypto.startKeyExchange(group));
  const share = { group: GROUPS[group].id, keyExchange: keyExchange.share };
  const entries: readonly (readonly [ExtensionName, Uint8Array | undefined])[] = [
    ['server_name', serverName === undefined ? undefined : encodeServerName(serverName)],
    ['supported_groups', numbers16(parameters.groups.map((name) => GROUPS[name].id))],
    ['signature_algorithms', numbers16(parameters.schemes.map((name) => SCHEMES[name].id))],
    [
      'application_layer_protocol_negotiation',
      parameters.alpn.length === 0 ? undefined : encodeAlpn(parameters.alpn),
    ],
    ['cookie', cookie === undefined ? undefined : encodeCookie(cookie)],
    ['supported_versions', encodeOfferedVersions([TLS13])],
    ['key_share', encodeClientShares([share])],
  ];
  const body = encodeClientHello({
    random: context.random,
    sessionId: context.sessionId,
    suites: parameters.suites.map((name) => SUITES[name].id),
    extensions: encodeExtensions(entries),
  });
  port.send('client_hello', body);
  return {
    keyExchange,
    offered: entries.filter(([, value]) => value !== undefined).map(([name]) => name),
  };
}
