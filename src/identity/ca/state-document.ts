/**
 * One text that several processes share, replaced as a whole and only by who has seen its newest version: a Secret of
 * Kubernetes with its resourceVersion. A call that rejects may have been done or not.
 */
export interface StateDocument {
  /** For messages: `Secret sallyport-system/sallyport-ca`. */
  readonly place: string;
  /** undefined: there is none yet. */
  read(): Promise<VersionedText | undefined>;
  /** Makes it. undefined: there is one already. */
  create(text: string): Promise<VersionedText | undefined>;
  /** Replaces the version that was read. undefined: it is not the newest any more. */
  replace(text: string, version: string): Promise<VersionedText | undefined>;
}

export interface VersionedText {
  readonly text: string;
  /** Opaque: to be handed back. */
  readonly version: string;
}
