/** What a story does with a Kubernetes cluster, whatever brought it up. */
export interface Cluster {
  /** The names of the nodes, in order. */
  readonly nodes: readonly string[];
  /** Runs kubectl as the cluster's admin. Resolves with what it wrote; rejects with `CommandFailed`. */
  kubectl(args: readonly string[], options?: CommandOptions): Promise<string>;
  /** Runs helm as the cluster's admin, in the same way. */
  helm(args: readonly string[], options?: CommandOptions): Promise<string>;
  /** Runs the tree's own `sallyport` as the cluster's admin, in the same way. */
  sallyport(args: readonly string[], options?: CommandOptions): Promise<string>;
  /** Runs a program in the network namespace of a node, as root. */
  onNode(node: string, command: readonly string[], options?: CommandOptions): Promise<string>;
  /** Gives every node the image in an OCI archive. */
  loadImage(archive: string): Promise<void>;
  /** Has the next pod of a node get this IPv4 address, if it is free. */
  nextPodAddress(node: string, address: string): Promise<void>;
  /** The key that signs ServiceAccount tokens, PEM: for tokens that Kubernetes itself would no longer make. */
  tokenKey(): Promise<string>;
  /** Kills the API server and keeps it from coming back until the function that this resolves with was called. */
  stopApiServer(): Promise<() => Promise<void>>;
}

export interface CommandOptions {
  readonly input?: string;
  readonly timeoutMilliseconds?: number;
  /** Added to ours. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** What another process needs to use a running cluster. JSON. */
export interface ClusterHandle {
  readonly provider: ProviderName;
  readonly nodes: readonly string[];
  /** The provider's own, such as a process or a kubeconfig. */
  readonly access: Readonly<Record<string, string>>;
}

export type ProviderName = 'bare' | 'kind';

export interface ClusterProvider {
  /** Why it cannot work here: no root, no Docker. Undefined if it can. */
  unavailable(): string | undefined;
  /** Installs and builds what is missing and starts a cluster. It ends when this process does, however it does. */
  up(options: UpOptions): Promise<RunningCluster>;
  /** Another process's way to a running cluster. */
  connect(handle: ClusterHandle): Cluster;
}

export interface UpOptions {
  readonly nodes: number;
  /** OCI archives that every node gets. */
  readonly images: readonly string[];
  /** Gets a line where something takes long. */
  readonly progress: (line: string) => void;
}

export interface RunningCluster {
  readonly handle: ClusterHandle;
  down(): Promise<void>;
}
