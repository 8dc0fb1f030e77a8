/** Resolves when `promise` has settled, in whatever way, or when `signal` aborts. Never rejects. */
export function settledBefore(signal: AbortSignal, promise: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      signal.removeEventListener('abort', over);
      resolve();
    };
    signal.addEventListener('abort', over, { once: true });
    if (signal.aborted) over();
    promise.then(over, over);
  });
}
