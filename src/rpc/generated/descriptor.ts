// Written by scripts/protocol.ts. Do not edit.
export const DESCRIPTOR: object = {
  "nested": {
    "sallyport": {
      "nested": {
        "v1": {
          "nested": {
            "Discovery": {
              "methods": {
                "Watch": {
                  "requestType": "DiscoveryRequest",
                  "requestStream": true,
                  "responseType": "DiscoveryResponse",
                  "responseStream": true
                }
              }
            },
            "DiscoveryRequest": {
              "oneofs": {
                "request": {
                  "oneof": [
                    "start",
                    "subscribe",
                    "unsubscribe",
                    "renew",
                    "reject",
                    "report"
                  ]
                }
              },
              "fields": {
                "start": {
                  "type": "Start",
                  "id": 1
                },
                "subscribe": {
                  "type": "Subscribe",
                  "id": 2
                },
                "unsubscribe": {
                  "type": "Unsubscribe",
                  "id": 3
                },
                "renew": {
                  "type": "Renew",
                  "id": 4
                },
                "reject": {
                  "type": "Reject",
                  "id": 5
                },
                "report": {
                  "type": "Report",
                  "id": 6
                }
              }
            },
            "Start": {
              "fields": {
                "seen": {
                  "type": "Position",
                  "id": 1
                },
                "policies": {
                  "type": "PoliciesKnown",
                  "id": 2
                }
              }
            },
            "PoliciesKnown": {
              "fields": {
                "version": {
                  "type": "string",
                  "id": 1
                }
              }
            },
            "Position": {
              "fields": {
                "pods": {
                  "type": "uint64",
                  "id": 1
                },
                "services": {
                  "type": "uint64",
                  "id": 2
                },
                "endpointslices": {
                  "type": "uint64",
                  "id": 3
                },
                "nodes": {
                  "type": "uint64",
                  "id": 4
                },
                "meshpolicies": {
                  "type": "uint64",
                  "id": 5
                },
                "meshtlses": {
                  "type": "uint64",
                  "id": 6
                }
              }
            },
            "Subscribe": {
              "fields": {
                "keys": {
                  "rule": "repeated",
                  "type": "Known",
                  "id": 1
                }
              }
            },
            "Known": {
              "fields": {
                "key": {
                  "type": "Key",
                  "id": 1
                },
                "version": {
                  "type": "string",
                  "id": 2
                }
              }
            },
            "Key": {
              "fields": {
                "address": {
                  "type": "string",
                  "id": 1
                },
                "port": {
                  "type": "uint32",
                  "id": 2
                }
              }
            },
            "Unsubscribe": {
              "fields": {
                "keys": {
                  "rule": "repeated",
                  "type": "Key",
                  "id": 1
                }
              }
            },
            "Renew": {
              "fields": {
                "sequence": {
                  "type": "uint64",
                  "id": 1
                }
              }
            },
            "Reject": {
              "fields": {
                "key": {
                  "type": "Key",
                  "id": 1
                },
                "version": {
                  "type": "string",
                  "id": 2
                },
                "detail": {
                  "type": "string",
                  "id": 3
                }
              }
            },
            "Report": {
              "fields": {
                "wouldDeny": {
                  "rule": "repeated",
                  "type": "WouldDeny",
                  "id": 1
                },
                "plaintext": {
                  "rule": "repeated",
                  "type": "PlaintextSeen",
                  "id": 2
                }
              }
            },
            "WouldDeny": {
              "fields": {
                "key": {
                  "type": "string",
                  "id": 1
                },
                "rule": {
                  "type": "uint32",
                  "id": 2
                },
                "caller": {
                  "type": "string",
                  "id": 3
                },
                "port": {
                  "type": "uint32",
                  "id": 4
                },
                "count": {
                  "type": "uint64",
                  "id": 5
                }
              }
            },
            "PlaintextSeen": {
              "fields": {
                "address": {
                  "type": "string",
                  "id": 1
                },
                "port": {
                  "type": "uint32",
                  "id": 2
                },
                "passed": {
                  "type": "uint64",
                  "id": 3
                },
                "refused": {
                  "type": "uint64",
                  "id": 4
                }
              }
            },
            "DiscoveryResponse": {
              "oneofs": {
                "response": {
                  "oneof": [
                    "networks",
                    "answer",
                    "renewed",
                    "policies"
                  ]
                }
              },
              "fields": {
                "networks": {
                  "type": "Networks",
                  "id": 1
                },
                "answer": {
                  "type": "Answer",
                  "id": 2
                },
                "renewed": {
                  "type": "Renewed",
                  "id": 3
                },
                "policies": {
                  "type": "Policies",
                  "id": 4
                }
              }
            },
            "Policies": {
              "fields": {
                "version": {
                  "type": "string",
                  "id": 1
                },
                "since": {
                  "type": "string",
                  "id": 2
                },
                "changed": {
                  "rule": "repeated",
                  "type": "PolicyObject",
                  "id": 3
                },
                "removed": {
                  "rule": "repeated",
                  "type": "string",
                  "id": 4
                },
                "circumstances": {
                  "type": "Circumstances",
                  "id": 5
                }
              }
            },
            "PolicyObject": {
              "fields": {
                "key": {
                  "type": "string",
                  "id": 1
                },
                "text": {
                  "type": "string",
                  "id": 2
                }
              }
            },
            "Circumstances": {
              "fields": {
                "labels": {
                  "keyType": "string",
                  "type": "string",
                  "id": 1
                },
                "tlsMode": {
                  "type": "string",
                  "id": 2
                },
                "unselected": {
                  "type": "string",
                  "id": 3
                }
              }
            },
            "Networks": {
              "fields": {
                "networks": {
                  "rule": "repeated",
                  "type": "string",
                  "id": 1
                }
              }
            },
            "Answer": {
              "oneofs": {
                "answer": {
                  "oneof": [
                    "unknown",
                    "workload",
                    "service",
                    "unchanged"
                  ]
                }
              },
              "fields": {
                "key": {
                  "type": "Key",
                  "id": 1
                },
                "version": {
                  "type": "string",
                  "id": 2
                },
                "unknown": {
                  "type": "Unknown",
                  "id": 3
                },
                "workload": {
                  "type": "Workload",
                  "id": 4
                },
                "service": {
                  "type": "ServicePort",
                  "id": 5
                },
                "unchanged": {
                  "type": "Unchanged",
                  "id": 6
                }
              }
            },
            "Unknown": {
              "fields": {}
            },
            "Unchanged": {
              "fields": {}
            },
            "Workload": {
              "fields": {
                "name": {
                  "type": "string",
                  "id": 1
                },
                "party": {
                  "type": "Party",
                  "id": 2
                }
              }
            },
            "Party": {
              "oneofs": {
                "party": {
                  "oneof": [
                    "meshed",
                    "unmeshed"
                  ]
                }
              },
              "fields": {
                "meshed": {
                  "type": "Meshed",
                  "id": 1
                },
                "unmeshed": {
                  "type": "Unmeshed",
                  "id": 2
                }
              }
            },
            "Meshed": {
              "fields": {
                "identities": {
                  "rule": "repeated",
                  "type": "string",
                  "id": 1
                }
              }
            },
            "Unmeshed": {
              "fields": {
                "pod": {
                  "type": "bool",
                  "id": 1
                }
              }
            },
            "ServicePort": {
              "fields": {
                "name": {
                  "type": "string",
                  "id": 1
                },
                "endpoints": {
                  "rule": "repeated",
                  "type": "Endpoint",
                  "id": 2
                },
                "affinityMilliseconds": {
                  "type": "uint64",
                  "id": 3
                },
                "local": {
                  "type": "bool",
                  "id": 4
                },
                "trafficDistribution": {
                  "type": "string",
                  "id": 5
                }
              }
            },
            "Endpoint": {
              "fields": {
                "address": {
                  "type": "string",
                  "id": 1
                },
                "port": {
                  "type": "uint32",
                  "id": 2
                },
                "party": {
                  "type": "Party",
                  "id": 3
                },
                "node": {
                  "type": "string",
                  "id": 4
                },
                "zone": {
                  "type": "string",
                  "id": 5
                },
                "terminating": {
                  "type": "bool",
                  "id": 6
                }
              }
            },
            "Renewed": {
              "fields": {
                "sequence": {
                  "type": "uint64",
                  "id": 1
                },
                "leaseMilliseconds": {
                  "type": "uint64",
                  "id": 2
                },
                "position": {
                  "type": "Position",
                  "id": 3
                }
              }
            },
            "Issuance": {
              "methods": {
                "Issue": {
                  "requestType": "IssueRequest",
                  "responseType": "IssueResponse"
                },
                "Renew": {
                  "requestType": "RenewRequest",
                  "responseType": "IssueResponse"
                }
              }
            },
            "IssueRequest": {
              "fields": {
                "certificateRequest": {
                  "type": "bytes",
                  "id": 1
                },
                "token": {
                  "type": "string",
                  "id": 2
                }
              }
            },
            "RenewRequest": {
              "fields": {
                "certificateRequest": {
                  "type": "bytes",
                  "id": 1
                }
              }
            },
            "IssueResponse": {
              "fields": {
                "chain": {
                  "rule": "repeated",
                  "type": "bytes",
                  "id": 1
                },
                "authorityTime": {
                  "type": "int64",
                  "id": 2
                }
              }
            }
          }
        }
      }
    }
  }
};
