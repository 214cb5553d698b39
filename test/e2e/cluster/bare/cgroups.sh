# Cgroups of a cluster, sourced by other scripts. Both versions: one hierarchy (v2), or one for each controller (v1,
# also beside v2 as systemd's hybrid has it).
#
# Every cluster gets a group ID in each hierarchy and every node a group inside it; whoever enters one makes it the
# root of a cgroup namespace next (`unshare --cgroup`), so that kubelet and runc see what they would see on a machine
# of their own, and removing the one group removes all.

# The folders of the hierarchies, as mounted in this mount namespace.
cgroups_roots() {
  local line controllers
  # Read whole first: the file changes while we move.
  mapfile -t lines </proc/self/cgroup
  for line in "${lines[@]}"; do
    controllers=${line#*:} controllers=${controllers%%:*}
    if [ -z "$controllers" ]; then
      if [ -e /sys/fs/cgroup/cgroup.controllers ]; then echo /sys/fs/cgroup; else echo /sys/fs/cgroup/unified; fi
    else
      echo "/sys/fs/cgroup/${controllers#name=}"
    fi
  done
}

# Makes the group NAME in every hierarchy and moves this shell there.
cgroups_enter() {
  local root
  for root in $(cgroups_roots); do
    [ -d "$root" ] || continue
    cgroups_allow_children "$root"
    mkdir -p "$root/$1" || return
    if [ -e "$root/$1/cpuset.cpus" ] && [ ! -e "$root/cgroup.controllers" ]; then
      # v1: a new group may use no processor and no memory until it is told which.
      cat "$root/cpuset.cpus" >"$root/$1/cpuset.cpus"
      cat "$root/cpuset.mems" >"$root/$1/cpuset.mems"
    fi
    echo "$BASHPID" >"$root/$1/cgroup.procs" || return
  done
}

# After `unshare --cgroup --mount`: mounts the hierarchies so that the own group is their root.
cgroups_mount() {
  local line controllers folder
  mapfile -t lines </proc/self/cgroup
  umount --recursive --lazy /sys/fs/cgroup
  if [ "${#lines[@]}" -eq 1 ]; then
    mount -t cgroup2 cgroup2 /sys/fs/cgroup || return
    cgroups_delegate /sys/fs/cgroup
    return
  fi
  mount -t tmpfs tmpfs /sys/fs/cgroup || return
  for line in "${lines[@]}"; do
    controllers=${line#*:} controllers=${controllers%%:*}
    [ -n "$controllers" ] || continue
    folder=/sys/fs/cgroup/${controllers#name=}
    mkdir -p "$folder"
    case $controllers in
      name=*) mount -t cgroup -o "none,$controllers" cgroup "$folder" || return ;;
      *) mount -t cgroup -o "$controllers" cgroup "$folder" || return ;;
    esac
  done
}

# v2: a group with controllers for its children holds no process itself, so those here move one down.
cgroups_delegate() {
  local process
  mkdir -p "$1/init"
  while read -r process; do echo "$process" >"$1/init/cgroup.procs"; done <"$1/cgroup.procs" 2>/dev/null
  cgroups_allow_children "$1"
}

# v2: lets the groups below this one have every controller that it has itself.
cgroups_allow_children() {
  local controller
  [ -e "$1/cgroup.subtree_control" ] || return 0
  for controller in $(<"$1/cgroup.controllers"); do
    echo "+$controller" >"$1/cgroup.subtree_control" 2>/dev/null
  done
  return 0
}

# Removes the group NAME and all below it, once nothing runs there. The kernel may take a moment for the last process.
cgroups_remove() {
  local root try
  for root in $(cgroups_roots); do
    for try in $(seq 50); do
      [ -d "$root/$1" ] || break
      find "$root/$1" -depth -type d -exec rmdir {} + 2>/dev/null && break
      sleep 0.1
    done
  done
}
