# The network of a cluster, sourced by other scripts. The same plan is in network.ts, which passes it as environment.
#
# Node 1 and the control plane share the cluster's own network namespace. Every further node has a namespace and a
# pair of devices to node 1, which routes. Nothing leads out of the cluster.

node_v4() { echo "$NODE_V4$1"; }
node_v6() { echo "$NODE_V6$1"; }

forwarding() {
  sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.all.forwarding=1 \
    net.ipv6.conf.default.forwarding=1 net.ipv6.conf.default.accept_dad=0
}

export -f forwarding

first_node_network() {
  forwarding && ip link set lo up &&
    # A pair that leads to itself, where the kernel may lack the dummy device.
    ip link add uplink type veth peer name nowhere && ip link set nowhere up && ip link set uplink up &&
    ip address add "$(node_v4 1)/32" dev uplink && ip address add "$(node_v6 1)/128" dev uplink nodad &&
    # Addresses of Services need some route, or the kernel refuses them before kube-proxy's rules see them.
    ip route add default dev uplink && ip -6 route add default dev uplink
}

further_node_network() {
  local number=$1 name=node$1
  local inside=(nsenter --net="/run/netns/$name")
  ip netns add "$name" && ip link add "$name" type veth peer name eth0 netns "$name" &&
    ip link set "$name" up && "${inside[@]}" ip link set lo up && "${inside[@]}" ip link set eth0 up &&
    "${inside[@]}" bash -c forwarding &&
    "${inside[@]}" ip address add "$(node_v4 "$number")/32" dev eth0 &&
    "${inside[@]}" ip address add "$(node_v6 "$number")/128" dev eth0 nodad &&
    # IPv6 neighbours are only told of addresses on the very device, so node 1 has its address on each.
    ip address add "$(node_v6 1)/128" dev "$name" nodad &&
    ip route add "$(node_v4 "$number")/32" dev "$name" src "$(node_v4 1)" &&
    ip -6 route add "$(node_v6 "$number")/128" dev "$name" src "$(node_v6 1)" &&
    "${inside[@]}" ip route add "$(node_v4 1)/32" dev eth0 src "$(node_v4 "$number")" &&
    "${inside[@]}" ip -6 route add "$(node_v6 1)/128" dev eth0 src "$(node_v6 "$number")" &&
    "${inside[@]}" ip route add default via "$(node_v4 1)" dev eth0 src "$(node_v4 "$number")" &&
    "${inside[@]}" ip -6 route add default via "$(node_v6 1)" dev eth0 src "$(node_v6 "$number")" &&
    ip route add "$PODS_V4$number.0/24" via "$(node_v4 "$number")" dev "$name" &&
    ip -6 route add "$PODS_V6$number::/64" via "$(node_v6 "$number")" dev "$name"
}
