import type { ServerConfig } from '../../config.ts';
import { checkServerName, ConfigError, parseParameters } from '../../parameters.ts';
import type { ServerState } from '../../states.ts';
import { checkServerSessions } from '../../tickets/session-parameters.ts';
import { ExpectClientHello } from './expect-client-hello.ts';

export function startServer(config: ServerConfig): ServerState<'ExpectClientHello'> {
  if (config.credential.chain.length === 0) throw new ConfigError('a server needs a certificate');
  checkServerSessions(config);
  const { expectedServerName } = config;
  const serverName = expectedServerName === undefined ? undefined : checkServerName(expectedServerName);
  return new ExpectClientHello({ config, parameters: parseParameters(config), serverName });
}
