import type { LinkConditions } from './conditions.js';
import type { FaultList } from './faults.js';
import type { Recording } from './recording.js';

/** What all connections of a proxy share. */
export interface ProxyState {
  readonly conditions: LinkConditions;
  readonly faults: FaultList;
  readonly passed: Recording;
  readonly arrived: Recording;
  /** Bytes that may wait in a held or slow direction before the proxy stops reading from the sender. */
  readonly buffer: number;
  nextIndex: number;
}
