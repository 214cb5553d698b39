import type { SpiffeId } from '#identity';
import type { Cidr } from './match/cidr.ts';

export const API_VERSION = 'mesh.sallyport.dev/v1alpha1';

/** Stands where a file's name would, for an object of a cluster. */
export const IN_CLUSTER = 'the cluster';

export type Action = 'Allow' | 'Deny';
export type Enforcement = 'Enforce' | 'Shadow';
export type TlsMode = 'Strict' | 'Permissive' | 'Disabled';
export type PeerKind = 'Any' | 'Authenticated' | 'Unauthenticated';

/** A place in a file; line and column count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Where a list stands in its file, so that a suggestion can be pasted into it. */
export interface ListPlace extends Position {
  /** Column of the list's items where each has a line of its own; undefined for `[a, b]`. */
  readonly itemColumn: number | undefined;
}

export interface Metadata {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** What a document holds for: its whole namespace (the mesh, in the root namespace), one service account, or labels. */
export type Target =
  | { readonly kind: 'Namespace' }
  | { readonly kind: 'ServiceAccount'; readonly name: string }
  | { readonly kind: 'Labels'; readonly labels: Readonly<Record<string, string>> };

/** One entry of `from`. Every field that is present must hold; within a field one value is enough (labels: all). */
export interface PeerMatch {
  readonly peer?: PeerKind | undefined;
  readonly identities?: readonly SpiffeId[] | undefined;
  readonly serviceAccounts?: readonly { readonly name: string; readonly namespace: string }[] | undefined;
  readonly namespaces?: readonly string[] | undefined;
  readonly trustDomains?: readonly string[] | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly cidrs?: readonly Cidr[] | undefined;
}

export interface PortMatch {
  readonly ports: readonly number[];
}

export interface Rule {
  readonly from: readonly PeerMatch[];
  /** Undefined: every port. */
  readonly to: readonly PortMatch[] | undefined;
  readonly place: {
    readonly from: ListPlace;
    /** Of the first `ports` list; undefined when the rule holds for every port. */
    readonly ports: ListPlace | undefined;
  };
}

export interface MeshPolicy {
  readonly kind: 'MeshPolicy';
  readonly file: string;
  readonly metadata: Metadata;
  readonly spec: {
    readonly target: Target;
    readonly action: Action;
    readonly enforcement: Enforcement;
    readonly rules: readonly Rule[];
  };
  readonly place: { readonly name: Position; readonly target: Position; readonly rules: ListPlace };
}

export interface MeshTls {
  readonly kind: 'MeshTLS';
  readonly file: string;
  readonly metadata: Metadata;
  readonly spec: {
    readonly target: Target;
    /** Undefined: this document speaks only of `ports`. */
    readonly mode: TlsMode | undefined;
    readonly ports: readonly { readonly port: number; readonly mode: TlsMode }[];
  };
  readonly place: { readonly name: Position; readonly target: Position; readonly mode: Position };
}

export type PolicyDocument = MeshPolicy | MeshTls;

/** What holds where no document speaks. */
export interface PolicyDefaults {
  readonly tlsMode: TlsMode;
  /**
   * For workloads which no enforced Allow selects. `Deny`: nobody. `AllowAuthenticated`: every verified identity, and
   * plaintext where the TLS mode admits it.
   */
  readonly unselected: 'Deny' | 'AllowAuthenticated';
}

/** What the documents alone cannot say. */
export interface PolicyContext {
  readonly defaults: PolicyDefaults;
  /** The mesh's own trust domain: `serviceAccounts` and `namespaces` mean it unless `trustDomains` stands beside them. */
  readonly trustDomain: string;
  /** Documents in this namespace hold for the whole mesh. */
  readonly rootNamespace: string;
}

export const EMBEDDED_DEFAULTS: PolicyDefaults = Object.freeze({ tlsMode: 'Strict', unselected: 'Deny' });
