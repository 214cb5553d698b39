/** Who serves in a contest: the engine on one of its providers, or Node's own TLS. */
export const KINDS = ['engine-openssl', 'engine-node', 'node-tls'] as const;
export type Kind = (typeof KINDS)[number];

export type Work = 'full' | 'out' | 'in';

/** What a server's process needs, as JSON on its standard input. */
export interface ServerOrder {
  readonly kind: Kind;
  readonly work: Work;
  /** TLS's own name of the one group, as the engine and as OpenSSL call it. */
  readonly group: { readonly engine: 'x25519' | 'X25519MLKEM768'; readonly openssl: string };
  /** PEM. */
  readonly root: string;
  readonly chain: string;
  readonly key: string;
  readonly writeBytes: number;
}

/** Sent by a client that wants bytes: how many, as eight bytes big-endian. A server that reads answers one byte at the end. */
export const REQUEST_BYTES = 8;
