import type { Scope } from '@nestjs/common';
import type { ConsumerOptions } from '../failover/consumer-definition.js';

/** What `@Consumer` takes. Durations are milliseconds. */
export interface ConsumerDecoratorOptions extends ConsumerOptions {
  /** The name of the connection to consume from. @default the one without a name */
  readonly connection?: string | undefined;
  /**
   * The scope of the class. With `Scope.REQUEST` and `Scope.TRANSIENT` each message gets an instance of its own, and `REQUEST`
   * injects the message.
   *
   * @default Scope.DEFAULT
   */
  readonly scope?: Scope | undefined;
}
