import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import type { Refusal } from '#handshake';
import { parseAddress } from '#policy';
import { INTERCEPT_REASONS } from './reason.ts';

/** What can be seen of the network namespace of this process. */
export interface NamespaceFacts {
  /** Link text of /proc/self/ns/net; undefined where it can't be read. */
  readonly link: string | undefined;
  /** Settings of the whole kernel are there, which only the initial namespace shows; undefined without /proc/sys. */
  readonly kernelSettings: boolean | undefined;
  /** Addresses of this namespace's interfaces. */
  readonly addresses: readonly string[];
  readonly netAdmin: boolean;
  readonly ipv6: boolean;
}

/** What Kubernetes says of the pod, from its environment. */
export interface PodFacts {
  readonly inKubernetes: boolean;
  /** status.hostIPs; undefined when it was not given. */
  readonly hostAddresses: readonly string[] | undefined;
}

/**
 * Why capture must not be set up here; undefined where it may. There is no way to overrule it.
 *
 * Comparing with /proc/1/ns/net says nothing: in a pod process 1 is the pod's own (or its pause container), in whose
 * namespace we rightly are. So the kernel is asked whether this is its first namespace, and in Kubernetes, where a node
 * may itself be a container, whether the node's address is one of ours.
 */
export function hostNamespaceRefusal(facts: NamespaceFacts, pod: PodFacts): Refusal | undefined {
  const { link, kernelSettings, addresses } = facts;
  if (link === undefined || kernelSettings === undefined) {
    const detail = '/proc/self/ns/net and /proc/sys/net/core cannot be read';
    return { reason: INTERCEPT_REASONS['namespace-unproved'], detail };
  }
  if (link === INITIAL_NAMESPACE || kernelSettings) {
    const detail = `${link} is the first network namespace of this kernel`;
    return { reason: INTERCEPT_REASONS['host-network-namespace'], detail };
  }
  if (!pod.inKubernetes) return undefined;
  if (pod.hostAddresses === undefined || pod.hostAddresses.length === 0) {
    const detail = 'this is a pod, and nothing says which addresses its node has';
    return { reason: INTERCEPT_REASONS['namespace-unproved'], detail };
  }
  const unreadable = pod.hostAddresses.find((address) => parseAddress(address) === undefined);
  if (unreadable !== undefined) {
    const detail = `the node's address is given as ${JSON.stringify(unreadable)}, which is no IP address`;
    return { reason: INTERCEPT_REASONS['namespace-unproved'], detail };
  }
  const own = new Set(addresses.map(comparable));
  const shared = pod.hostAddresses.find((address) => own.has(comparable(address)));
  if (shared === undefined) return undefined;
  const detail = `the node's address ${shared} is one of this namespace`;
  return { reason: INTERCEPT_REASONS['host-network-namespace'], detail };
}

/** Looks at the namespace of this process. */
export function namespaceFacts(): NamespaceFacts {
  const status = readText('/proc/self/status');
  const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(status ?? '')?.[1];
  const interfaces = Object.values(networkInterfaces()).flatMap((rows) => rows ?? []);
  return {
    link: readLink('/proc/self/ns/net'),
    kernelSettings: existsSync(NET_CORE)
      ? KERNEL_SETTINGS.every((name) => existsSync(`${NET_CORE}/${name}`))
      : undefined,
    addresses: interfaces.map(({ address }) => address),
    netAdmin: capabilities !== undefined && (BigInt(`0x${capabilities}`) & CAP_NET_ADMIN) !== 0n,
    ipv6: existsSync('/proc/net/if_inet6'),
  };
}

/** linux/nsfs.h, NET_NS_INIT_INO = 0xEFFFFFF9: the number is fixed since 6.18 and was nobody's before. */
const INITIAL_NAMESPACE = 'net:[4026531833]';

/** net/core/sysctl_net_core.c, net_core_table: registered for init_net only. They tune the machine's processors. */
const NET_CORE = '/proc/sys/net/core';
const KERNEL_SETTINGS = ['dev_weight', 'netdev_budget'];

/** linux/capability.h */
const CAP_NET_ADMIN = 1n << 12n;

/** Two texts of one address are equal afterwards; what is no address stays as it is and equals only itself. */
function comparable(text: string): string {
  return parseAddress(text)?.join('.') ?? text;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
