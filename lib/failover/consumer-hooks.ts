import type { Channel } from '../amqp/channel.js';
import type { ConsumeEndReason } from '../policy/consumer-state.js';
import type { Message } from './message.js';

/** What `extraContext` may give: it is disposed of when the consumer consumes no longer. */
export type ExtraContext = AsyncDisposable | Disposable | undefined | void;

/**
 * The lifecycle of a consumer, in this order. Each hook may be async and is awaited, though not beyond the end of the session
 * or connection it is about; what comes after an end (`onConsumeEnd`, the disposal of the context) at most `settleTimeout`
 * milliseconds, and not beyond the timeout of a stop. A throw is logged and changes nothing.
 */
export interface ConsumerHooks {
  /** Each failed attempt to connect, and each loss. `interval`: milliseconds until the next attempt. Not awaited. */
  onConnectionError?(error: Error, interval: number, broker: string): unknown;
  /** After each connect, the first one included. */
  onConnectionRevived?(): unknown;
  /**
   * The broker has confirmed the registration of every queue. What it returns is disposed of at the end, after
   * `onConsumeEnd`; if it comes after the end, when it comes.
   */
  extraContext?(channel: Channel): ExtraContext | Promise<ExtraContext>;
  /** Consuming, with the extra context in place. */
  onConsumeReady?(channel: Channel): unknown;
  /** Every `safetyInterval` while consuming; the next one begins after the last has settled. */
  onIteration?(): unknown;
  /** The consumer consumes no longer, for whatever reason. Always called after `onConsumeReady`. */
  onConsumeEnd?(reason: ConsumeEndReason): unknown;
  /** A body could not be decoded. The hook may settle the message itself. */
  onDecodeError?(message: Message, error: Error): unknown;
}
