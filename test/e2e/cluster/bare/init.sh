#!/bin/bash
# Process 1 of a cluster: the control plane, then its nodes. When this process ends, the kernel ends all the others.
#
# From the environment: RUN (the cluster's folder), BIN (programs), NODES (how many), SERVICES and
# PODS (ranges, IPv4,IPv6), API_EXTRA (more flags of kube-apiserver). The folder holds what config.ts and pki.sh wrote.
# Progress: a line in RUN/timeline for each step; RUN/up exists when every node is ready.
set -u
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/cgroups.sh"
. "$here/network.sh"
export PATH="$BIN:$PATH" KUBECONFIG="$RUN/admin.conf"
log=$RUN/log
step() { echo "$EPOCHREALTIME $*" >>"$RUN/timeline"; }
die() { echo "$*" >"$RUN/failed"; exit 1; }

step start
mount --make-rprivate /
cgroups_mount || die 'the cgroups cannot be mounted: see init.log'
mount --make-rshared /
# What the programs leave on fixed paths stays in this mount namespace.
for folder in /run/netns /run/containerd /run/runc /var/lib/cni /var/log/containers /var/log/pods /var/lib/kubelet /opt; do
  mkdir -p "$folder" && mount -t tmpfs tmpfs "$folder" && mount --make-shared "$folder"
done
first_node_network || die 'the network of node 1 cannot be made: see init.log'

etcd --name cluster --data-dir "$RUN/etcd" --unsafe-no-fsync --log-level warn \
  --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
  --listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 \
  --initial-cluster cluster=http://127.0.0.1:2380 >"$log/etcd.log" 2>&1 &

# In the background only: it becomes the API server.
# shellcheck disable=SC2086  # API_EXTRA is several words
apiserver() {
  exec kube-apiserver --etcd-servers=http://127.0.0.1:2379 --bind-address=:: --secure-port=6443 \
    --advertise-address="$(node_v4 1)" --endpoint-reconciler-type=lease --service-cluster-ip-range="$SERVICES" \
    --tls-cert-file="$RUN/pki/apiserver.crt" --tls-private-key-file="$RUN/pki/apiserver.key" \
    --client-ca-file="$RUN/pki/ca.crt" \
    --service-account-issuer=https://kubernetes.default.svc.cluster.local \
    --service-account-key-file="$RUN/pki/sa.pub" --service-account-signing-key-file="$RUN/pki/sa.key" \
    --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --allow-privileged=true \
    --kubelet-client-certificate="$RUN/pki/apiserver-kubelet-client.crt" \
    --kubelet-client-key="$RUN/pki/apiserver-kubelet-client.key" \
    --kubelet-certificate-authority="$RUN/pki/ca.crt" --kubelet-preferred-address-types=InternalIP \
    --requestheader-client-ca-file="$RUN/pki/front.crt" --requestheader-allowed-names=front-proxy-client \
    --requestheader-extra-headers-prefix=X-Remote-Extra- --requestheader-group-headers=X-Remote-Group \
    --requestheader-username-headers=X-Remote-User \
    --proxy-client-cert-file="$RUN/pki/front-client.crt" --proxy-client-key-file="$RUN/pki/front-client.key" \
    --feature-gates=PodCertificateRequest=true \
    --runtime-config=certificates.k8s.io/v1beta1/podcertificaterequests=true \
    --shutdown-delay-duration=0s ${API_EXTRA:-} >>"$log/kube-apiserver.log" 2>&1
}
# RUN/apiserver-stopped is a story's order (connect.ts): as long as it is there, the API server is not.
while :; do
  if [ -e "$RUN/apiserver-stopped" ]; then sleep 0.2; continue; fi
  apiserver &
  server=$!
  while kill -0 "$server" 2>/dev/null && [ ! -e "$RUN/apiserver-stopped" ]; do sleep 0.2; done
  kill -KILL "$server" 2>/dev/null
  wait "$server"
done &
until kubectl get --raw /readyz >/dev/null 2>&1; do sleep 0.2; done
step apiserver

# Only now: both need roles that the API server makes when it starts.
kube-controller-manager --kubeconfig="$RUN/controller-manager.conf" \
  --authentication-kubeconfig="$RUN/controller-manager.conf" \
  --authorization-kubeconfig="$RUN/controller-manager.conf" --bind-address=127.0.0.1 --leader-elect=false \
  --allocate-node-cidrs=false --cluster-cidr="$PODS" --service-cluster-ip-range="$SERVICES" \
  --use-service-account-credentials=true --service-account-private-key-file="$RUN/pki/sa.key" \
  --root-ca-file="$RUN/pki/ca.crt" --cluster-signing-cert-file="$RUN/pki/ca.crt" \
  --cluster-signing-key-file="$RUN/pki/ca.key" >"$log/kube-controller-manager.log" 2>&1 &
kube-scheduler --kubeconfig="$RUN/scheduler.conf" --authentication-kubeconfig="$RUN/scheduler.conf" \
  --authorization-kubeconfig="$RUN/scheduler.conf" --bind-address=127.0.0.1 --leader-elect=false \
  >"$log/kube-scheduler.log" 2>&1 &

# Each in a cgroup namespace of its own, and all but the first in a network namespace of its own.
for node in $(seq "$NODES"); do
  enter=()
  if [ "$node" -gt 1 ]; then
    further_node_network "$node" || die "the network of node $node cannot be made: see init.log"
    enter=(nsenter --net="/run/netns/node$node")
  fi
  (
    cgroups_enter "node$node" && exec "${enter[@]}" unshare --cgroup --mount bash "$here/node.sh" "$node"
  ) >"$log/node$node.log" 2>&1 &
done
for node in $(seq "$NODES"); do
  until kubectl wait --for=condition=Ready "node/node$node" --timeout=60s >/dev/null 2>&1; do sleep 0.2; done
  step "node$node"
done
touch "$RUN/up"

# Process 1 inherits those whose parents ended.
while :; do wait -n 2>/dev/null || sleep 1; done
