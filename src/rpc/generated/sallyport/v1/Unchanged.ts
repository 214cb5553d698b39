// Written by scripts/protocol.ts. Do not edit.
// Original file: sallyport/v1/discovery.proto


export interface Unchanged {
}

export interface Unchanged__Output {
}
