import type { RecordedFrame } from './wire-frame.js';

export interface ProxyOptions {
  target: { host?: string; port: number };
  /** Default: a free one between 11000 and 19999. */
  port?: number;
  /** Frames kept in `frames` and in `arrivals`, each. Default 100,000. */
  recordLimit?: number;
  /** Bytes that may wait in a held or slow direction before the proxy stops reading from the sender. Default 1 MiB. */
  buffer?: number;
}

/** A fault that was armed with `once`. */
export interface FaultHandle {
  /** Settles once the action has been carried out; rejects if the proxy closes first or the function throws. */
  readonly happened: Promise<RecordedFrame>;
  /** The fault will not happen, if it has not yet. */
  disarm(): void;
  /** Ends a `hold`: what waited passes, in order. */
  release(): void;
}
