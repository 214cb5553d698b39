#!/bin/bash
# node.sh NUMBER: containerd, kubelet and kube-proxy of one node, in the namespaces that init.sh made for it.
set -u
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/cgroups.sh"
. "$here/network.sh"
number=$1 name=node$1 folder=$RUN/node$1
log=$RUN/log
cgroups_mount || exit 1
# kubelet hands volumes to containers by mounts that must reach them.
mount --make-rshared /

containerd --config "$folder/containerd.toml" >"$log/$name-containerd.log" 2>&1 &
ctr() { command ctr --address "$folder/containerd.sock" --namespace k8s.io "$@"; }
until ctr version >/dev/null 2>&1; do sleep 0.1; done
for archive in "$RUN"/images/*.tar; do
  ctr images import "$archive" || exit 1
done
echo "$EPOCHREALTIME $name-images" >>"$RUN/timeline"

kubelet --config="$folder/kubelet.yaml" --kubeconfig="$RUN/$name.conf" --hostname-override="$name" \
  --node-ip="$(node_v4 "$number"),$(node_v6 "$number")" --root-dir="$folder/kubelet" --cert-dir="$folder/kubelet-pki" \
  >"$log/$name-kubelet.log" 2>&1 &
kube-proxy --config="$folder/kube-proxy.yaml" --hostname-override="$name" >"$log/$name-kube-proxy.log" 2>&1 &
wait
