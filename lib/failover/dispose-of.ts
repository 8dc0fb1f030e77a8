import type { ExtraContext } from './consumer-hooks.js';

/** Ends what `extraContext` gave. */
export async function disposeOf(context: ExtraContext): Promise<void> {
  if (context === undefined || context === null) return;
  if (Symbol.asyncDispose in context) await context[Symbol.asyncDispose]();
  else context[Symbol.dispose]();
}
