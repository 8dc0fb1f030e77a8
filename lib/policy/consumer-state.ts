import type { LegalMoves } from './transition.js';
import { transition } from './transition.js';

/** Why a consumer stopped consuming. */
export type ConsumeEndReason = 'lost' | 'channel-closed' | 'cancelled' | 'paused' | 'stopped';

/**
 * Where a consumer stands. Only `consuming` means that the broker has confirmed a registration of every queue of it, on a
 * channel that still lives. `since` is a reading of the clock in milliseconds.
 *
 * - `idle`: not started
 * - `starting`: waiting for a connection, declaring, setting qos, registering
 * - `waiting`: the last start failed; the next one begins at `until`
 * - `paused`: not consuming, because it was told so
 * - `failed`: given up for good: its first start failed in a way that `start()` was told to give up on; or, of a mixin, `run()` has
 *   rejected
 */
export type ConsumerState =
  | { readonly status: 'idle' }
  | { readonly status: 'starting'; readonly since: number }
  | {
      readonly status: 'consuming';
      readonly since: number;
      readonly broker: string;
      /** Every slot of its prefetch is held by a message whose handler failed: nothing new is delivered until a backoff is over. */
      readonly stalled: boolean;
    }
  | {
      readonly status: 'waiting';
      readonly since: number;
      readonly until: number;
      readonly error: Error;
    }
  | { readonly status: 'paused'; readonly since: number }
  | { readonly status: 'failed'; readonly since: number; readonly error: Error }
  | { readonly status: 'stopping'; readonly since: number }
  | { readonly status: 'stopped'; readonly since: number };

const moves: LegalMoves<ConsumerState['status']> = {
  idle: ['starting', 'paused', 'stopping'],
  starting: ['consuming', 'waiting', 'starting', 'paused', 'failed', 'stopping'],
  consuming: ['starting', 'waiting', 'paused', 'stopping'],
  waiting: ['starting', 'paused', 'stopping'],
  paused: ['starting', 'stopping'],
  failed: ['starting', 'stopping'],
  stopping: ['stopped'],
  stopped: [],
};

/** Moves a consumer from one state to the next. */
export const consumerTransition = (from: ConsumerState, to: ConsumerState): ConsumerState =>
  transition<ConsumerState>(moves, from, to);
