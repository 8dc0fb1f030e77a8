export { Binding } from './amqp/binding.js';
export type { BindingOptions } from './amqp/binding.js';
export { Broker } from './amqp/broker.js';
export type { AsUriOptions } from './amqp/broker.js';
export type { BrokerOptions, BrokerPassword, BrokerProtocol } from './amqp/broker-options.js';
export type {
  Channel,
  ChannelEvents,
  Confirmation,
  ConfirmChannel,
  Delivery,
} from './amqp/channel.js';
export { Exchange } from './amqp/exchange.js';
export type { DeliveryMode, ExchangeOptions, ExchangeType } from './amqp/exchange.js';
export { Queue } from './amqp/queue.js';
export type { OnDeclared, QueueOptions, QueueOverflow, QueueType } from './amqp/queue-options.js';
export type {
  BrokerConnection,
  ConnectOptions,
  ServerProperties,
  Transport,
} from './amqp/transport.js';
export * from './errors.js';
export type { BrokerUrls, BrokerUrlsSource } from './failover/broker-source.js';
export type {
  BlockedEvent,
  ClosedEvent,
  ConnectedEvent,
  ConnectFailedEvent,
  ConnectingEvent,
  ConnectionEvent,
  ConnectionEvents,
  LostEvent,
  RefusedEvent,
} from './failover/connection-events.js';
export type { FailoverConnectionOptions } from './failover/connection-options.js';
export type {
  ConnectionInfo,
  ConnectionSeams,
  ConnectionView,
  EnsureConnectionOptions,
} from './failover/connection-parts.js';
export type {
  EnsureOptions,
  ErrbackEvent,
  RetryErrors,
  Revivable,
} from './failover/ensure-options.js';
export { FailoverConnection } from './failover/failover-connection.js';
export type { GetOptions } from './failover/fetched-message.js';
export type { FailoverLogger } from './failover/logger.js';
export type { PatienceOptions } from './failover/patience.js';
export type { Clock, Random } from './policy/clock.js';
export type { FailoverStrategy } from './policy/strategy.js';
export type { ConsumeEndReason, ConsumerState } from './policy/consumer-state.js';
export type { Headers } from './serialization/headers.js';
export { ChannelConsumer } from './failover/channel-consumer.js';
export type {
  ChannelConsumerOptions,
  ConsumerCallback,
} from './failover/channel-consumer-options.js';
export { ConsumerLoop } from './failover/consumer-loop.js';
export type { FirstStartOptions, GivesUpOn } from './failover/first-start.js';
export type {
  AckMode,
  ConsumerDefinition,
  ConsumerOptions,
  Handler,
} from './failover/consumer-definition.js';
export type { ConsumerHooks, ExtraContext } from './failover/consumer-hooks.js';
export { ConsumerMixin } from './failover/mixins/consumer-mixin.js';
export { ConsumerProducerMixin } from './failover/mixins/consumer-producer-mixin.js';
export type { ConsumerFactory, MixinConsumers, MixinHooks } from './failover/mixins/mixin-hooks.js';
export type { ConsumeOptions } from './failover/mixins/mixin-options.js';
export { Message } from './failover/message.js';
export type { DeliveryInfo, MessageState, SettleResult } from './failover/message.js';
export type { PublishReceipt } from './failover/outbox-entry.js';
export { Producer } from './failover/producer.js';
export type { ProducerOptions, PublishOptions } from './failover/publish-options.js';
export { Consumer } from './decorators/consumer.decorator.js';
export { EnsureRetry } from './decorators/ensure-retry.decorator.js';
export { InjectConnection } from './decorators/inject-connection.decorator.js';
export { InjectProducer } from './decorators/inject-producer.decorator.js';
export { OnMessage } from './decorators/on-message.decorator.js';
export type { HandlerDecorator } from './decorators/on-message.decorator.js';
export { liveChannel, RetryChannel } from './decorators/retry-channel.decorator.js';
export { FailoverModule } from './failover.module.js';
export { getConnectionToken, getProducerToken } from './failover.tokens.js';
export type { ConsumerDecoratorOptions } from './interfaces/consumer-metadata.interface.js';
export type {
  AsyncMethodDecorator,
  EnsureRetryOptions,
  PromiseMethodDecorator,
} from './interfaces/ensure-retry-options.interface.js';
export type {
  FailoverModuleAsyncOptions,
  FailoverModuleExtras,
  FailoverModuleOptions,
  FailoverOptions,
  FailoverOptionsFactory,
  Startup,
} from './interfaces/failover-module-options.interface.js';
export { ConsumerRegistry } from './consumer.registry.js';
export type { RouteCriterion } from './failover/message-routes.js';
