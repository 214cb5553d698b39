import { reasonTable } from '#handshake';

/** Why traffic can't be captured, or why a captured connection is refused. */
export const INTERCEPT_REASONS = reasonTable({
  'not-redirected': {
    alert: undefined,
    blame: 'peer',
    rfc: 'none',
    say: 'The connection came without a redirect, so nobody knows whom it was meant for.',
    next: 'Call the service by its own address and port; the sidecar is found by the redirect alone.',
  },
  'original-destination-unreadable': {
    alert: undefined,
    blame: 'local',
    rfc: 'none',
    say: 'The system does not tell where a redirected connection was going.',
    next: 'Look at the error in the detail: the kernel needs connection tracking, and Node the koffi package.',
  },
  'host-network-namespace': {
    alert: undefined,
    blame: 'operator',
    rfc: 'none',
    say: "This is the host's network namespace: capture here would take the traffic of the whole machine.",
    next: 'Run init in the pod, without hostNetwork; on one machine, in a network namespace (`ip netns exec`).',
  },
  'namespace-unproved': {
    alert: undefined,
    blame: 'operator',
    rfc: 'none',
    say: "It can't be told whether this is the host's network namespace.",
    next: 'In Kubernetes give init SALLYPORT_HOST_IPS from the field status.hostIPs; elsewhere mount /proc.',
  },
  'net-admin-missing': {
    alert: undefined,
    blame: 'operator',
    rfc: 'none',
    say: 'This process may not change packet filter rules.',
    next: 'Give the init container the capability NET_ADMIN (and only it), or run as root.',
  },
  'packet-filter-missing': {
    alert: undefined,
    blame: 'operator',
    rfc: 'none',
    say: 'There is neither nft nor iptables here.',
    next: 'Install nftables (`apt-get install nftables`), or use the image, which has it.',
  },
  'packet-filter-refused': {
    alert: undefined,
    blame: 'local',
    rfc: 'none',
    say: 'The kernel or the tool did not take the change; the rules are what they were before, possibly none.',
    next: 'Look at what the tool said: the kernel needs nf_tables with NAT (5.2 or later), or ip_tables with NAT.',
  },
  'packet-filter-uncertain': {
    alert: undefined,
    blame: 'local',
    rfc: 'none',
    say: 'A change of the rules failed midway and could not be taken back, so old and new ones may stand side by side.',
    next: 'Look at what the tool said, then run `sallyport init` again: it replaces whatever of ours is there.',
  },
  'runs-as-sidecar': {
    alert: undefined,
    blame: 'operator',
    rfc: 'none',
    say: 'This process runs as the user whose connections are not captured, so it can prove nothing.',
    next: 'Run init as another user, such as root with NET_ADMIN as its only capability.',
  },
  'capture-port-taken': {
    alert: undefined,
    blame: 'local',
    rfc: 'none',
    say: 'The outbound port is in use, so capture cannot be proved by a connection that arrives there. The rules are what they were before, possibly none.',
    next: 'Stop what listens there, for instance a sidecar that runs already, and run init again.',
  },
  'capture-unproved': {
    alert: undefined,
    blame: 'local',
    rfc: 'none',
    say: 'A connection that the rules should capture did not arrive at the outbound port. They stay loaded, so that nothing leaves uncaptured.',
    next: 'Look for other rules in this namespace (`nft list ruleset`); `sallyport init --remove` takes ours away.',
  },
  'no-network': {
    alert: undefined,
    blame: 'local',
    rfc: 'none',
    say: 'The namespace has no route to anywhere, so capture cannot be proved. The rules stay loaded.',
    next: 'Run init after the network of the pod is set up; `ip route` must show a route.',
  },
});
