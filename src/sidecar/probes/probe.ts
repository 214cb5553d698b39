/**
 * A probe or hook of the kubelet that comes to the status port in place of the application's own, since the kubelet has
 * no identity. What it may do is all here: nobody can ask for more than one of these.
 */
export interface Probe {
  /** The last segment of its path. Whoever knows it may have this probe done. */
  readonly token: string;
  /** When it is given up, if the kubelet has not done so by then. */
  readonly timeoutMilliseconds: number;
  readonly target: HttpTarget | TcpTarget | GrpcTarget;
}

/** As `httpGet` of Kubernetes, of a probe or of a hook. */
export interface HttpTarget {
  readonly kind: 'http';
  readonly port: number;
  /** With its query, if it has one. */
  readonly path: string;
  readonly scheme: 'HTTP' | 'HTTPS';
  /** The same name may be there more than once. */
  readonly headers: readonly { readonly name: string; readonly value: string }[];
}

export interface TcpTarget {
  readonly kind: 'tcp';
  readonly port: number;
}

/** The gRPC health protocol in plaintext. */
export interface GrpcTarget {
  readonly kind: 'grpc';
  readonly port: number;
  /** Empty: the server as a whole. */
  readonly service: string;
}

/** Who asked, which the application is told too. */
export interface Asking {
  readonly userAgent: string;
  readonly accept: string;
}
