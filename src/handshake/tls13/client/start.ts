import type { ClientConfig } from '../../config.ts';
import { checkServerName, parseKeyShares, parseParameters } from '../../parameters.ts';
import type { Port } from '../../port.ts';
import type { ClientState } from '../../states.ts';
import { makeKeyShares, sendClientHello } from './client-hello.ts';
import { ExpectServerHello } from './expect-server-hello.ts';

/** Sends the first ClientHello. */
export function startClient(config: ClientConfig, port: Port): ClientState<'ExpectServerHello'> {
  const parameters = parseParameters(config);
  const serverName = config.serverName === undefined ? undefined : checkServerName(config.serverName);
  const random = port.crypto.randomBytes(32);
  // RFC 8446 D.4: a session ID of 32 bytes lets the handshake pass devices that expect TLS 1.2.
  const sessionId = port.crypto.randomBytes(32);
  const context = { config, parameters, serverName, random, sessionId };
  port.emit({ type: 'client-hello', random, serverName, alpn: parameters.alpn });
  const groups = parseKeyShares(config.keyShares, parameters.groups);
  const sent = sendClientHello(context, makeKeyShares(groups, port), undefined, port);
  return new ExpectServerHello(context, sent);
}
