import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';

/** The class of what a provider gives; undefined for aliases and for what is no object of a class. */
export function providerClass(wrapper: InstanceWrapper): Function | undefined {
  if (wrapper.isAlias) return undefined;
  const { metatype, inject } = wrapper;
  if (metatype && !inject) return typeof metatype === 'function' ? metatype : undefined;
  const instance: unknown = wrapper.instance;
  if (typeof instance !== 'object' || instance === null) return undefined;
  const { constructor } = instance;
  // Of a factory that has not run yet, Nest holds a bare object.
  return typeof constructor === 'function' && constructor !== Object ? constructor : undefined;
}

/** Whether there is one instance, made at start, rather than one for each request or each who injects it. */
export const isSingleton = (wrapper: InstanceWrapper): boolean =>
  wrapper.isDependencyTreeStatic() && !wrapper.isTransient;
