/** Messages that carry extensions, as RFC 8446 4.2 abbreviates them. */
export type Carrier = 'CH' | 'SH' | 'HRR' | 'EE' | 'CR' | 'CT' | 'NST';

/** RFC 8446 4.2: the extensions known here and the messages in which each may stand. */
export const EXTENSIONS = {
  server_name: { id: 0, in: ['CH', 'EE'] },
  max_fragment_length: { id: 1, in: ['CH', 'EE'] },
  status_request: { id: 5, in: ['CH', 'CR', 'CT'] },
  supported_groups: { id: 10, in: ['CH', 'EE'] },
  signature_algorithms: { id: 13, in: ['CH', 'CR'] },
  use_srtp: { id: 14, in: ['CH', 'EE'] },
  heartbeat: { id: 15, in: ['CH', 'EE'] },
  application_layer_protocol_negotiation: { id: 16, in: ['CH', 'EE'] },
  signed_certificate_timestamp: { id: 18, in: ['CH', 'CR', 'CT'] },
  client_certificate_type: { id: 19, in: ['CH', 'EE'] },
  server_certificate_type: { id: 20, in: ['CH', 'EE'] },
  padding: { id: 21, in: ['CH'] },
  record_size_limit: { id: 28, in: ['CH', 'EE'] },
  pre_shared_key: { id: 41, in: ['CH', 'SH'] },
  early_data: { id: 42, in: ['CH', 'EE', 'NST'] },
  supported_versions: { id: 43, in: ['CH', 'SH', 'HRR'] },
  cookie: { id: 44, in: ['CH', 'HRR'] },
  psk_key_exchange_modes: { id: 45, in: ['CH'] },
  certificate_authorities: { id: 47, in: ['CH', 'CR'] },
  oid_filters: { id: 48, in: ['CR'] },
  post_handshake_auth: { id: 49, in: ['CH'] },
  signature_algorithms_cert: { id: 50, in: ['CH', 'CR'] },
  key_share: { id: 51, in: ['CH', 'SH', 'HRR'] },
} as const satisfies Record<string, { id: number; in: readonly Carrier[] }>;

export type ExtensionName = keyof typeof EXTENSIONS;

const BY_ID = new Map<number, ExtensionName>(
  (Object.entries(EXTENSIONS) as [ExtensionName, { id: number }][]).map(([name, { id }]) => [id, name]),
);

export function extensionName(id: number): ExtensionName | undefined {
  return BY_ID.get(id);
}

export function isAllowedIn(name: ExtensionName, carrier: Carrier): boolean {
  return (EXTENSIONS[name].in as readonly Carrier[]).includes(carrier);
}
