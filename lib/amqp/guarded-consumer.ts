import type { ConsumeMessage } from 'amqplib';
import type { ReportListenerError } from './listeners.js';

type OnMessage = (message: ConsumeMessage | null) => void;

/**
 * A consumer callback that amqplib may call: nothing it throws or rejects with comes out, and it is not called for frames
 * that were read together with the end of its channel.
 */
export function guardedConsumer(
  channel: { readonly loss: object | undefined },
  onMessage: OnMessage,
  report: ReportListenerError,
): OnMessage {
  const failed = (error: unknown): void => report(error, 'consumer callback');
  return (message) => {
    if (channel.loss !== undefined) return;
    try {
      const returned: unknown = onMessage(message);
      if (returned instanceof Promise) returned.catch(failed);
    } catch (error) {
      failed(error);
    }
  };
}
