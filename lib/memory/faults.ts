import { checkAction } from './control-checks.js';
import type { Fields, MethodName } from './wire/method-table.js';

/** Who sends a method. */
export type Direction = 'client' | 'broker';

/** A method at the moment at which it has come, or is about to be sent. */
export interface ControlledMethod<M extends MethodName = MethodName> {
  readonly method: M;
  readonly fields: Fields<M>;
  readonly channel: number;
  /** The name that the client gave its connection, or else its address. */
  readonly connection: string;
  /** Of a method with content. */
  readonly body: Buffer | undefined;
}

/**
 * What is done to it. Nothing, or `pass`: it takes its course. `drop`: it is as if it had not come (or not been sent).
 * `nack`: a publish is not routed, and nacked in confirm mode. `kill`: the broker dies before the method has an effect, or
 * leaves. `reset`: the same for this connection alone. `delay`: it and all that follows on its connection in this direction
 * wait for so many milliseconds. `closeChannel`, `closeConnection`: answered with this reply code.
 */
export type ControlAction =
  | 'pass'
  | 'drop'
  | 'nack'
  | 'kill'
  | 'reset'
  | { readonly delay: number }
  | { readonly closeChannel: number; readonly text?: string }
  | { readonly closeConnection: number; readonly text?: string };

export type ControlFunction<M extends MethodName = MethodName> = (
  method: ControlledMethod<M>,
) => ControlAction | void;

/** A fault that waits for its method. */
export interface Fault<M extends MethodName = MethodName> {
  /** Resolves with the method when it has come; rejects with what its function threw. */
  readonly happened: Promise<ControlledMethod<M>>;
  /** It is not to happen any more. */
  cancel(): void;
}

interface Waiting {
  readonly decide: ControlFunction;
  readonly happened: (method: ControlledMethod) => void;
  readonly failed: (error: unknown) => void;
}

/** The faults of a broker, by method: each happens once, in the order in which they were given. */
export class Faults {
  readonly #waiting = new Map<string, Waiting[]>();

  /** Nothing waits: methods need not be looked up. */
  get none(): boolean {
    return this.#waiting.size === 0;
  }

  add<M extends MethodName>(direction: Direction, method: M, decide: ControlFunction<M>): Fault<M> {
    const key = `${direction} ${method}`;
    let waiting: Waiting | undefined;
    const happened = new Promise<ControlledMethod<M>>((resolve, reject) => {
      waiting = {
        decide: decide as ControlFunction,
        happened: resolve as Waiting['happened'],
        failed: reject,
      };
      this.#waiting.set(key, [...(this.#waiting.get(key) ?? []), waiting]);
    });
    // Whoever waits for it is told; when nobody does, it must not end the process.
    happened.catch(() => undefined);
    return { happened, cancel: () => this.#keep(key, (one) => one !== waiting) };
  }

  /** @returns what is to be done to this one */
  decide(direction: Direction, method: ControlledMethod): ControlAction {
    const key = `${direction} ${method.method}`;
    const [first] = this.#waiting.get(key) ?? [];
    if (first === undefined) return 'pass';
    this.#keep(key, (one) => one !== first);
    try {
      const action = checkAction(method.method, first.decide(method) ?? 'pass');
      first.happened(method);
      return action;
    } catch (error) {
      first.failed(error);
      throw error;
    }
  }

  clear(): void {
    this.#waiting.clear();
  }

  #keep(key: string, holds: (one: Waiting) => boolean): void {
    const kept = (this.#waiting.get(key) ?? []).filter(holds);
    if (kept.length === 0) this.#waiting.delete(key);
    else this.#waiting.set(key, kept);
  }
}
