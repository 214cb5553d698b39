import type { ClientConfig } from '../../config.ts';
import { checkServerName, parseParameters } from '../../parameters.ts';
import type { Port } from '../../port.ts';
import type { ClientState } from '../../states.ts';
import { checkClientSessions } from '../../tickets/session-parameters.ts';
import { sendFirstHello } from './first-hello.ts';
import { PskOffer } from './psk-offer.ts';
import { takeSession } from './session.ts';
import { ValidatingSession } from './validating-session.ts';

/** Sends the first ClientHello; with a session to offer, after the verifier has spoken. */
export function startClient(
  config: ClientConfig,
  port: Port,
): ClientState<'ExpectServerHello'> | ClientState<'ValidatingSession'> {
  const parameters = parseParameters(config);
  checkClientSessions(config);
  const serverName = config.serverName === undefined ? undefined : checkServerName(config.serverName);
  const random = port.crypto.randomBytes(32);
  // RFC 8446 D.4: a session ID of 32 bytes lets the handshake pass devices that expect TLS 1.2.
  const sessionId = port.crypto.randomBytes(32);
  const context = { config, parameters, serverName, random, sessionId };
  port.emit({ type: 'client-hello', random, serverName, alpn: parameters.alpn });
  const session = takeSession(config, parameters, serverName);
  if (session !== undefined) return new ValidatingSession(context, session, port);
  return sendFirstHello(context, PskOffer.ofExternal(config, parameters), port);
}
