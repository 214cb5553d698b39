// Written by scripts/protocol.ts. Do not edit.
// Original file: sallyport/v1/discovery.proto


export interface PolicyObject {
  /**
   * `MeshPolicy shop/orders`.
   */
  'key'?: (string);
  /**
   * The object as JSON: apiVersion, kind, name, namespace and spec.
   */
  'text'?: (string);
}

export interface PolicyObject__Output {
  /**
   * `MeshPolicy shop/orders`.
   */
  'key': (string);
  /**
   * The object as JSON: apiVersion, kind, name, namespace and spec.
   */
  'text': (string);
}
