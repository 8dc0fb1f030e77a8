import {
  EXCEPTION_FILTERS_METADATA,
  GUARDS_METADATA,
  INTERCEPTORS_METADATA,
  PIPES_METADATA,
  ROUTE_ARGS_METADATA,
} from '@nestjs/common/constants.js';
import { ContextIdFactory, ModuleRef } from '@nestjs/core';
import type { ContextId, ExternalContextCreator } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { FAILOVER_CONTEXT_TYPE } from './failover.constants.js';
import type { Handler } from './failover/consumer-definition.js';
import { handlerParameters, hasOwnParameters, isMessageParameter } from './handler-parameters.js';
import { isSingleton } from './provider-class.js';

type Instance = Record<string, (...args: unknown[]) => unknown>;

/** Calls the handlers of consumers, with the enhancers that are to run, on the instance that their scope asks for. */
export class HandlerContext {
  readonly #creator: ExternalContextCreator;

  /** @param appWide enhancers of the whole app run, so that every handler may have some */
  constructor(
    creator: ExternalContextCreator,
    private readonly appWide: boolean,
  ) {
    const applyPipes = creator.getParamValue.bind(creator);
    // On an object of our own: the app's creator serves others as well.
    this.#creator = Object.create(creator, {
      getParamValue: {
        value: ((value, metadata, pipes) =>
          applyPipes(
            value,
            metadata,
            isMessageParameter(metadata.type) ? [] : pipes,
          )) satisfies ExternalContextCreator['getParamValue'],
      },
    }) as ExternalContextCreator;
  }

  /** @returns what calls the handler with `(body, message)` */
  handler(wrapper: InstanceWrapper, type: Function, method: string): Handler {
    return isSingleton(wrapper)
      ? this.#bound(wrapper.instance as Instance, type, method)
      : this.#resolving(wrapper, type, method);
  }

  #bound(
    instance: Instance,
    type: Function,
    method: string,
    contextId?: ContextId,
    inquirerId?: string,
  ): Handler {
    const callback = instance[method] as Instance[string];
    if (!this.appWide && !isEnhanced(type, method))
      return (body, message) => callback.call(instance, body, message);
    const filters = this.appWide || hasMetadata(EXCEPTION_FILTERS_METADATA, type, callback);
    return this.#creator.create(
      instance,
      callback,
      method,
      ROUTE_ARGS_METADATA,
      handlerParameters,
      contextId,
      inquirerId,
      // Without a filter of its own, a failure is the consumer's to log: once.
      { guards: true, interceptors: true, filters },
      FAILOVER_CONTEXT_TYPE,
    );
  }

  /** An instance for each message; durable ones for each that the context strategy tells apart. */
  #resolving(wrapper: InstanceWrapper, type: Function, method: string): Handler {
    const moduleRef = wrapper.host?.getProviderByKey<ModuleRef>(ModuleRef).instance;
    return async (body, message) => {
      const contextId = ContextIdFactory.getByRequest(message);
      const durable: unknown = wrapper.isDependencyTreeDurable() ? contextId.payload : undefined;
      moduleRef?.registerRequestByContextId(durable ?? message, contextId);
      const instance = await moduleRef?.resolve<Instance>(wrapper.token as string, contextId);
      if (instance === undefined) return undefined;
      return this.#bound(instance, type, method, contextId, wrapper.id)(body, message);
    };
  }
}

const hasMetadata = (key: string, type: Function, callback: object): boolean =>
  Reflect.hasMetadata(key, type) || Reflect.hasMetadata(key, callback);

/** Most handlers are not: those are called as they are, at no cost a message. */
function isEnhanced(type: Function, method: string): boolean {
  const callback = (type.prototype as Record<string, object>)[method] as object;
  return (
    [GUARDS_METADATA, INTERCEPTORS_METADATA, PIPES_METADATA, EXCEPTION_FILTERS_METADATA].some(
      (key) => hasMetadata(key, type, callback),
    ) || hasOwnParameters(type, method)
  );
}
