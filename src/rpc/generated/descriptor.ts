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
              "fields": {}
            },
            "DiscoveryResponse": {
              "fields": {}
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
