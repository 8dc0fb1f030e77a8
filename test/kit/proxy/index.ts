export type { CutKind, FaultAction, FaultFunction, FaultVerb, FaultyLink } from './faults.js';
export type { FrameMatch, FramePattern } from './frame-match.js';
export { assertLegalAcks } from './legal-acks.js';
export type { FrameFields } from './method-fields.js';
export { startProxy } from './proxy.js';
export type { AmqpProxy } from './proxy.js';
export type { FaultHandle, ProxyOptions } from './proxy-options.js';
export type { Direction, FrameName, RecordedFrame } from './wire-frame.js';
