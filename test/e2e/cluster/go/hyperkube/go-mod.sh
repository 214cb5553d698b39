#!/bin/bash
# go-mod.sh VERSION (such as 1.36.3): writes go.mod for a newer Kubernetes; `go mod tidy` does the rest.
#
# Kubernetes' own go.mod takes its parts from folders beside it (staging), which its module doesn't have. They are
# modules of their own, numbered 0 where Kubernetes has 1.
set -euo pipefail
version=${1:?which version}
cd "$(dirname "${BASH_SOURCE[0]}")"
theirs=$(go mod download -json "k8s.io/kubernetes@v$version" | grep '"GoMod"' | cut -d'"' -f4)
parts=$(sed -nE 's#^[[:space:]]*(replace )?([^ ]+) => \./staging/src/.*#\2#p' "$theirs")
{
  echo 'module sallyport/test/hyperkube'
  echo
  grep -E '^go ' "$theirs"
  echo
  echo "require k8s.io/kubernetes v$version"
  echo
  echo 'replace ('
  for part in $parts; do printf '\t%s => %s v0.%s\n' "$part" "$part" "${version#1.}"; done
  echo ')'
} >go.mod
go mod tidy
