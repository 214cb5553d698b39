import {
  type EditableClientHello,
  type EditableExtensions,
  type EditableServerHello,
  editClientHello,
  editEncryptedExtensions,
  editServerHello,
} from './edit.ts';
import { exchange } from './pair.ts';
import { TamperingEngine, tamperWith } from './tampering-engine.ts';
import { attack, type Configs, type Victim, victimClient, victimServer } from './victim.ts';

/** Configurations that make a handshake go through a HelloRetryRequest. */
export const RETRY: Configs = {
  client: { groups: ['x25519', 'secp256r1'] },
  server: { groups: ['secp256r1'] },
};

/** A server that gets a ClientHello with this change. `occurrence` 1: the one after a HelloRetryRequest. */
export function serverGetting(
  edit: (hello: EditableClientHello) => void,
  configs: Configs = {},
  occurrence = 0,
): Victim {
  const tamper = tamperWith('client_hello', editClientHello(edit), occurrence);
  return attack(victimServer(configs.server), TamperingEngine.client(tamper, 'sent', configs.client));
}

/** A server that got such a ClientHello and nothing more: its answer is in `takeOutput`. */
export function serverAfter(edit: (hello: EditableClientHello) => void, configs: Configs = {}): Victim {
  const victim = victimServer(configs.server);
  const client = TamperingEngine.client(
    tamperWith('client_hello', editClientHello(edit)),
    'sent',
    configs.client,
  );
  // The answer goes nowhere: the client would find its own change in it.
  exchange(client, victim.connection, undefined, () => []);
  return victim;
}

/** A client that gets a ServerHello with this change. `occurrence` 1: the one after a HelloRetryRequest. */
export function clientGetting(
  edit: (hello: EditableServerHello) => void,
  configs: Configs = {},
  occurrence = 0,
): Victim {
  const tamper = tamperWith('server_hello', editServerHello(edit), occurrence);
  return attack(victimClient(configs.client), TamperingEngine.server(tamper, 'sent', configs.server));
}

export function clientGettingExtensions(
  edit: (extensions: EditableExtensions) => void,
  configs: Configs = {},
): Victim {
  const tamper = tamperWith('encrypted_extensions', editEncryptedExtensions(edit));
  return attack(victimClient(configs.client), TamperingEngine.server(tamper, 'sent', configs.server));
}
