// Written by scripts/protocol.ts. Do not edit.
// Original file: sallyport/v1/discovery.proto


export interface Unknown {
}

export interface Unknown__Output {
}
