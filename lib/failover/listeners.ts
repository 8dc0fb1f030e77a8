/** What became of a listener that threw. */
export type ListenerErrorHandler = (error: unknown, event: string) => void;

/**
 * Guarded listeners: each is called in a microtask of its own, so never inside the call stack of a socket; what it throws
 * is reported and changes nothing, for no one. A listener that returns a promise has its rejection reported likewise.
 */
export class Listeners<Events extends object> {
  readonly #byEvent = new Map<keyof Events, Set<(event: never) => unknown>>();

  constructor(readonly onError: ListenerErrorHandler) {}

  /** @returns a function that takes the listener away again */
  on<E extends keyof Events>(event: E, listener: (event: Events[E]) => unknown): () => void {
    let listeners = this.#byEvent.get(event);
    if (listeners === undefined) {
      listeners = new Set();
      this.#byEvent.set(event, listeners);
    }
    listeners.add(listener);
    return () => this.off(event, listener);
  }

  off<E extends keyof Events>(event: E, listener: (event: Events[E]) => unknown): void {
    this.#byEvent.get(event)?.delete(listener);
  }

  emit<E extends keyof Events>(event: E, detail: Events[E]): void {
    for (const listener of this.#byEvent.get(event) ?? []) {
      queueMicrotask(() => guarded(() => listener(detail as never), String(event), this.onError));
    }
  }

  get count(): number {
    let count = 0;
    for (const listeners of this.#byEvent.values()) count += listeners.size;
    return count;
  }
}

/** Calls the code of somebody else: whatever it throws or rejects with is reported, never passed on. */
export function guarded(
  call: () => unknown,
  name: string,
  onError: (error: unknown, name: string) => void,
): void {
  try {
    const result = call();
    if (result instanceof Promise) result.catch((error: unknown) => onError(error, name));
  } catch (error) {
    onError(error, name);
  }
}
