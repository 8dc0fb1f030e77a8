import type { Clock } from '../policy/clock.js';
import type { TokenBucket } from '../policy/token-bucket.js';
import { restartLimit, takeToken } from '../policy/token-bucket.js';
import { pause } from './patience.js';

/** Limits how often a consumer starts, however short its sessions are. */
export class RestartLimit {
  #bucket: TokenBucket;

  constructor(private readonly clock: Clock) {
    this.#bucket = { tokens: restartLimit.capacity, at: clock.now() };
  }

  refill(): void {
    this.#bucket = { tokens: restartLimit.capacity, at: this.clock.now() };
  }

  /** Resolves when a start is allowed. A wait that `signal` ends rejects with its reason and costs nothing. */
  async take(signal: AbortSignal): Promise<void> {
    const { bucket, wait } = takeToken(this.#bucket, this.clock.now());
    if (wait > 0) await pause(this.clock, wait, signal);
    this.#bucket = bucket;
  }
}
