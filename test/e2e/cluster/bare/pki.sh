#!/bin/bash
# pki.sh RUN SERVER ADDRESSES: the cluster's certificates in RUN/pki and a kubeconfig for each of its programs.
# SERVER is the API server's URL; ADDRESSES are those that it answers to (subjectAltName); NODES says how many nodes.
set -euo pipefail
run=$1 server=$2 addresses=$3
. "$(dirname "${BASH_SOURCE[0]}")/network.sh"
mkdir -p "$run/pki"
cd "$run/pki"
curve=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)

authority() { # FILE NAME
  openssl req -x509 "${curve[@]}" -keyout "$1.key" -out "$1.crt" -days 365 -subj "/CN=$2" \
    -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
}

certificate() { # FILE SUBJECT AUTHORITY [ADDRESSES]
  openssl req "${curve[@]}" -keyout "$1.key" -out "$1.csr" -subj "$2" 2>/dev/null
  {
    echo 'basicConstraints=CA:FALSE'
    echo 'keyUsage=critical,digitalSignature'
    echo 'extendedKeyUsage=serverAuth,clientAuth'
    [ -z "${4:-}" ] || echo "subjectAltName=$4"
  } >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA "$3.crt" -CAkey "$3.key" -CAcreateserial -days 365 -extfile "$1.ext" \
    -out "$1.crt" 2>/dev/null
}

user() { # FILE SUBJECT: a certificate and the kubeconfig that uses it
  certificate "$1" "$2" ca
  cat >"$run/$1.conf" <<END
apiVersion: v1
kind: Config
current-context: cluster
contexts: [{name: cluster, context: {cluster: cluster, user: user}}]
clusters: [{name: cluster, cluster: {server: "$server", certificate-authority: "$run/pki/ca.crt"}}]
users: [{name: user, user: {client-certificate: "$run/pki/$1.crt", client-key: "$run/pki/$1.key"}}]
END
}

authority ca kubernetes-ca
authority front front-proxy-ca
certificate apiserver /CN=kube-apiserver ca "$addresses"
certificate apiserver-kubelet-client /O=system:masters/CN=kube-apiserver-kubelet-client ca
certificate front-client /CN=front-proxy-client front
user admin /O=system:masters/CN=admin
user controller-manager /CN=system:kube-controller-manager
user scheduler /CN=system:kube-scheduler
user proxy /CN=system:kube-proxy
for node in $(seq "$NODES"); do
  user "node$node" "/O=system:nodes/CN=system:node:node$node"
  certificate "node$node-serving" "/O=system:nodes/CN=system:node:node$node" ca \
    "DNS:node$node,IP:$(node_v4 "$node"),IP:$(node_v6 "$node")"
done
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out sa.key 2>/dev/null
openssl pkey -in sa.key -pubout -out sa.pub
