import { isObservable, lastValueFrom } from 'rxjs';
import { errorOf } from '../amqp/deadline.js';
import { SerializationError } from '../errors.js';
import {
  allSlotsHeld,
  handedBackIn,
  handlerFailed,
  noRoute,
  undecodable,
} from '../consumer.messages.js';
import { backoff } from '../policy/backoff.js';
import type { ConnectionParts } from './connection-parts.js';
import type { ConsumerDefinition, Handler } from './consumer-definition.js';
import type { ResolvedConsumerOptions } from './consumer-options.js';
import { DeliveryAttempts } from './delivery-attempts.js';
import { hooked } from './hooked.js';
import type { Message } from './message.js';

/**
 * What happens to a message between its delivery and its end: decoded, handled, acked; handed back after a backoff when the
 * handler throws; dead-lettered when it cannot be read. One for all channels of a consumer.
 */
export class MessageHandling {
  readonly #attempts = new DeliveryAttempts();
  readonly #slots: number;
  #held = 0;

  constructor(
    private readonly parts: Pick<ConnectionParts, 'clock' | 'logger'>,
    private readonly definition: ConsumerDefinition,
    private readonly options: ResolvedConsumerOptions,
  ) {
    this.#slots = options.prefetchCount * options.queues.length;
  }

  /** How many messages are held until their backoff is over. */
  get held(): number {
    return this.#held;
  }

  /** Each place in the prefetch is taken by a message that is held. */
  get allHeld(): boolean {
    return this.#held >= this.#slots;
  }

  /** Never rejects. */
  async run(message: Message): Promise<void> {
    let body: unknown;
    let handler: Handler;
    try {
      handler = this.#handlerOf(message);
      body = message.payload;
    } catch (error) {
      await this.undecodable(message, errorOf(error));
      return;
    }
    try {
      const result = await handler(body, message);
      // As everywhere in Nest, a handler may return an Observable: the message is done with when that completes.
      if (isObservable(result)) await lastValueFrom(result, { defaultValue: undefined });
    } catch (error) {
      this.#failed(message, this.#told(message, error), error);
      return;
    }
    this.#attempts.succeeded(message);
    if (this.options.ackMode === 'auto' && message.state === 'received') message.ack();
  }

  /** @throws SerializationError when no handler takes it: it is no more use here than one that cannot be read */
  #handlerOf(message: Message): Handler {
    const { handle, route } = this.definition;
    const handler = route === undefined ? handle : route(message);
    if (handler !== undefined) return handler;
    const { type } = message.properties as { type?: unknown };
    throw new SerializationError(noRoute(message.deliveryInfo.routingKey, type));
  }

  /** Anything can be thrown, also what throws when it is looked at. */
  #told({ queue }: Message, error: unknown): string {
    const { name } = this.definition;
    try {
      return handlerFailed(name, queue.name, error);
    } catch {
      return handlerFailed(name, queue.name, 'something that cannot be shown');
    }
  }

  /**
   * Sees a message to its end that cannot be read. Dropping it takes a queue that keeps what is rejected: one wrong `accept`
   * in a deploy must not destroy a backlog. Never rejects.
   */
  async undecodable(message: Message, error: Error): Promise<void> {
    const { hooks, name } = this.definition;
    const { queue } = message;
    await hooked(this.parts, `${name}.onDecodeError`, () => hooks?.onDecodeError?.(message, error));
    const told = undecodable(name, queue.name, error);
    const fallback = queue.deadLetterExchange === undefined ? 'requeue' : 'reject';
    if ((this.options.undecodable ?? fallback) === 'requeue') {
      // A nack does not count toward the delivery limit (since RabbitMQ 4.3), which would drop it after all.
      this.#failed(message, told, error, () => message.handBack());
    } else if (message.state === 'received') {
      this.parts.logger.error(told);
      message.reject();
    }
  }

  /** Until it is handed back it keeps its place in the prefetch, so that what always fails cannot run hot. */
  #failed(
    message: Message,
    told: string,
    error: unknown,
    handBack: () => unknown = () => message.requeue(),
  ): void {
    const { clock, logger } = this.parts;
    if (message.state !== 'received') {
      logger.error(told, error);
      return;
    }
    const wait = backoff(this.options.backoff, this.#attempts.failed(message));
    logger.error(`${told} ${handedBackIn(wait)}`, error);
    const { signal } = message;
    const release = (): void => {
      cancel();
      signal.removeEventListener('abort', release);
      this.#held -= 1;
      if (message.state === 'received') handBack();
    };
    const cancel = clock.schedule(wait, release);
    signal.addEventListener('abort', release, { once: true });
    this.#held += 1;
    if (this.#held === this.#slots) logger.warn(allSlotsHeld(this.definition.name, this.#held));
  }
}
