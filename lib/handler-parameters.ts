import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';

/** Nest's number for a body, so that `ValidationPipe` validates it and `@Body()` means it. */
const BODY = 3;
/** Nest's number for a request: what the body came in. */
const MESSAGE = 0;

interface RouteArgument {
  readonly index: number;
  readonly pipes: readonly unknown[];
  /** No decorator of the user's says so. */
  readonly implied?: boolean;
}

type RouteArguments = Readonly<Record<string, RouteArgument>>;

/** Tells Nest what the two parameters of a handler are, where no decorator of the user's says otherwise: pipes need that. */
export function describeParameters(prototype: object, method: string | symbol): void {
  const type = prototype.constructor;
  const described = (Reflect.getOwnMetadata(ROUTE_ARGS_METADATA, type, method) ??
    {}) as RouteArguments;
  const taken = new Set(Object.values(described).map(({ index }) => index));
  const implied = Object.fromEntries(
    [BODY, MESSAGE]
      .map((kind, index) => [`${kind}:${index}`, { index, pipes: [], implied: true }] as const)
      .filter(([, { index }]) => !taken.has(index)),
  );
  Reflect.defineMetadata(ROUTE_ARGS_METADATA, { ...implied, ...described }, type, method);
}

/** @returns whether decorators of the user's say what a parameter of the handler is */
export function hasOwnParameters(type: Function, method: string): boolean {
  const described = (Reflect.getMetadata(ROUTE_ARGS_METADATA, type, method) ??
    {}) as RouteArguments;
  return Object.values(described).some(({ implied }) => implied !== true);
}

/** Nest's `ParamsFactory` for a handler, which is called with `(body, message)`. */
export const handlerParameters = {
  exchangeKeyForValue(type: number, data: unknown, [body, message]: readonly unknown[]): unknown {
    if (type === MESSAGE) return message;
    if (type !== BODY) return undefined;
    return typeof data === 'string' ? (body as Record<string, unknown> | undefined)?.[data] : body;
  },
};

/** @returns whether pipes leave this parameter alone */
export const isMessageParameter = (type: unknown): boolean => type === MESSAGE;
