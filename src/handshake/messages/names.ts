/** RFC 8446 4: HandshakeType. hello_retry_request is a server_hello by its number and told apart by its random. */
export const HANDSHAKE_TYPES = {
  client_hello: 1,
  server_hello: 2,
  new_session_ticket: 4,
  end_of_early_data: 5,
  encrypted_extensions: 8,
  certificate: 11,
  certificate_request: 13,
  certificate_verify: 15,
  finished: 20,
  key_update: 24,
} as const;

export type MessageName = keyof typeof HANDSHAKE_TYPES;

const NAMES = new Map<number, MessageName>(
  (Object.entries(HANDSHAKE_TYPES) as [MessageName, number][]).map(([name, type]) => [type, name]),
);

export function messageName(type: number): MessageName | undefined {
  return NAMES.get(type);
}
