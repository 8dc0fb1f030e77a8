import { Inject, Injectable } from '@nestjs/common';
import { ConnectionRegistry } from './connection-registry.js';
import { ConfigurationError } from './errors.js';
import type { ConsumerLoop } from './failover/consumer-loop.js';
import { unknownConsumer } from './nest.messages.js';

/** Every consumer of the app: its `state`, with `since`, its `lastError`, `pause()` and `resume()`. */
@Injectable()
export class ConsumerRegistry {
  constructor(@Inject(ConnectionRegistry) private readonly connections: ConnectionRegistry) {}

  /** All of them; each is named after its class. Complete from `onApplicationBootstrap` on. */
  get consumers(): readonly ConsumerLoop[] {
    return this.connections.lifecycles.flatMap(({ consumers }) => consumers);
  }

  /**
   * The consumer of one class.
   *
   * @throws ConfigurationError when there is none, which lists those there are
   */
  get(consumer: string | Function): ConsumerLoop {
    const wanted = typeof consumer === 'string' ? consumer : consumer.name;
    const found = this.consumers.find(({ name }) => name === wanted);
    if (found === undefined) {
      const names = this.consumers.map(({ name }) => name);
      throw new ConfigurationError(unknownConsumer(wanted, names));
    }
    return found;
  }

  /**
   * Whether every consumer consumes, as far as it is not paused: what a readiness probe wants to know. One that is `stalled`
   * gets nothing new, and so does not.
   */
  get allConsuming(): boolean {
    return this.consumers.every(({ state }) =>
      state.status === 'consuming' ? !state.stalled : state.status === 'paused',
    );
  }
}
