#!/bin/bash
# Runs one cluster for as long as its owner lives, and leaves nothing behind: no process, no cgroup, no file.
#
# supervise.sh RUN    RUN is the cluster's folder; its name is that of the cluster's cgroups. Standard input is a pipe
#                     that the owner holds: when it closes (on purpose, or because the owner died, however), the
#                     cluster ends. RUN/init gets the number of the cluster's process 1.
#
# What the cluster makes lives in its own PID, mount, network and cgroup namespaces (init.sh is its process 1), so that
# ending that one process ends all of it. Only the cgroups' folders are the machine's own.
set -u
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/cgroups.sh"
run=$1 name=$(basename "$1")

end() {
  [ -z "${init:-}" ] || kill -KILL "$init" 2>/dev/null
  kill -KILL "$namespaces" 2>/dev/null
  wait "$namespaces" 2>/dev/null
  cgroups_remove "$name"
  rm -rf "$run"
}
trap end EXIT
trap 'exit 1' HUP INT TERM

(
  cgroups_enter "$name" || exit 1
  exec unshare --cgroup --net --mount --pid --fork --kill-child --mount-proc bash "$here/init.sh"
) </dev/null >"$run/log/init.log" 2>&1 &
namespaces=$!
# While it enters the cgroups it is a shell itself, with children that are shells and end at once.
until [ "$(cat "/proc/$namespaces/comm" 2>/dev/null)" = unshare ] && init=$(pgrep --parent "$namespaces" --exact bash); do
  kill -0 "$namespaces" 2>/dev/null || exit 1
  sleep 0.05
done
echo "$init" >"$run/init"

# `read` fails with 1 at the end of input, and with more than 128 when its time is over.
while read -r -t 0.5 _; [ $? -gt 128 ]; do
  kill -0 "$init" 2>/dev/null || break
done
