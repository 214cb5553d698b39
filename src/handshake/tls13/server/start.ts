import type { ServerConfig } from '../../config.ts';
import { checkServerName, ConfigError, parseParameters } from '../../parameters.ts';
import type { ServerState } from '../../states.ts';
import { checkServerSessions } from '../../tickets/session-parameters.ts';
import { ExpectClientHello } from './expect-client-hello.ts';

export function startServer(config: ServerConfig): ServerState<'ExpectClientHello'> {
  checkServerSessions(config);
  const { expectedServerName } = config;
  const serverName = expectedServerName === undefined ? undefined : checkServerName(expectedServerName);
  const parameters = parseParameters(config);
  if (parameters.credentials.length === 0 && (config.externalPsks ?? []).length === 0) {
    throw new ConfigError('a server needs a certificate, or keys from outside');
  }
  return new ExpectClientHello({ config, parameters, serverName });
}
