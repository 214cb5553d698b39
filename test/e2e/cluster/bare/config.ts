import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DNS_SERVICE, PODS, podRanges } from './network.ts';

/** Where Debian puts what the nodes use. */
const CNI_PROGRAMS = '/usr/lib/cni';
const RUNC = '/usr/sbin/runc';

/** Writes the configuration of a node's programs into its folder. */
export function writeNodeConfig(run: string, node: number): void {
  const folder = join(run, `node${node}`);
  mkdirSync(join(folder, 'cni'), { recursive: true });
  mkdirSync(join(folder, 'static'), { recursive: true });
  writeFileSync(join(folder, 'containerd.toml'), containerdConfig(folder));
  writeFileSync(join(folder, 'cni/10-pods.conflist'), JSON.stringify(cniConfig(folder, node), null, 2));
  // JSON is YAML.
  writeFileSync(join(folder, 'kubelet.yaml'), JSON.stringify(kubeletConfig(run, folder, node), null, 2));
  writeFileSync(join(folder, 'kube-proxy.yaml'), JSON.stringify(kubeProxyConfig(run), null, 2));
  writeFileSync(join(folder, 'resolv.conf'), 'nameserver 127.0.0.1\n');
}

/** containerd 1.x (Debian 12) and 2.x (Debian 13) name their plugins differently. */
function containerdConfig(folder: string): string {
  const version = execFileSync('containerd', ['--version'], { encoding: 'utf8' });
  return / v?1\.\d/.test(version) ? containerdOne(folder) : containerdTwo(folder);
}

function containerdOne(folder: string): string {
  return `version = 2
root = "${folder}/containerd"
state = "${folder}/containerd-state"
[grpc]
  address = "${folder}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${CNI_PROGRAMS}"
    conf_dir = "${folder}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      BinaryName = "${RUNC}"
`;
}

function containerdTwo(folder: string): string {
  return `version = 3
root = "${folder}/containerd"
state = "${folder}/containerd-state"
[grpc]
  address = "${folder}/containerd.sock"
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "localhost/pause:1"
[plugins."io.containerd.cri.v1.runtime"]
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["${CNI_PROGRAMS}"]
    conf_dir = "${folder}/cni"
  [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
      BinaryName = "${RUNC}"
      SystemdCgroup = false
`;
}

/** A pair of devices for each pod and plain routes: no bridge, so no br_netfilter is needed. */
function cniConfig(folder: string, node: number): unknown {
  const ipam = {
    type: 'host-local',
    dataDir: join(folder, 'cni-addresses'),
    ranges: podRanges(node).map((subnet) => [{ subnet }]),
    routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
  };
  return {
    cniVersion: '1.0.0',
    name: 'pods',
    plugins: [
      { type: 'ptp', ipMasq: false, mtu: 1400, dns: {}, ipam },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}

function kubeletConfig(run: string, folder: string, node: number): unknown {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    failCgroupV1: false,
    // Off by default; the API server has it too (init.sh).
    featureGates: { PodCertificateRequest: true },
    cgroupDriver: 'cgroupfs',
    failSwapOn: false,
    oomScoreAdj: 0,
    maxOpenFiles: 20_000,
    containerRuntimeEndpoint: `unix://${folder}/containerd.sock`,
    clusterDNS: [DNS_SERVICE],
    clusterDomain: 'cluster.local',
    resolvConf: join(folder, 'resolv.conf'),
    staticPodPath: join(folder, 'static'),
    podLogsDir: join(folder, 'pod-logs'),
    volumePluginDir: join(folder, 'volume-plugins'),
    tlsCertFile: `${run}/pki/node${node}-serving.crt`,
    tlsPrivateKeyFile: `${run}/pki/node${node}-serving.key`,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: `${run}/pki/ca.crt` },
    },
    authorization: { mode: 'Webhook' },
    // The disk is not the cluster's own: kubelet could not tell what of it is used by whom.
    localStorageCapacityIsolation: false,
    imageGCHighThresholdPercent: 100,
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    nodeStatusReportFrequency: '10s',
    shutdownGracePeriod: '0s',
  };
}

function kubeProxyConfig(run: string): unknown {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    clientConnection: { kubeconfig: `${run}/proxy.conf` },
    mode: 'nftables',
    clusterCIDR: PODS.join(','),
    bindAddress: '0.0.0.0',
    // Zero: leave the machine's limits as they are.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  };
}
