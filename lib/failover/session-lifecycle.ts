import { atMost } from '../amqp/deadline.js';
import type { ConsumeEndReason } from '../policy/consumer-state.js';
import type { ConnectionParts } from './connection-parts.js';
import type { ConsumerDefinition } from './consumer-definition.js';
import type { ConsumerHooks, ExtraContext } from './consumer-hooks.js';
import type { ResolvedConsumerOptions } from './consumer-options.js';
import type { ConsumerSession } from './consumer-session.js';
import { hooked } from './hooked.js';

/** Calls the hooks of a consumer around each of its sessions, in their order. */
export class SessionLifecycle {
  readonly #hooks: ConsumerHooks;

  constructor(
    private readonly parts: Pick<ConnectionParts, 'clock' | 'logger'>,
    private readonly definition: ConsumerDefinition,
    private readonly options: ResolvedConsumerOptions,
  ) {
    this.#hooks = definition.hooks ?? {};
  }

  revived(): Promise<void> {
    return this.#bounded(() => this.#hooks.onConnectionRevived?.());
  }

  /** From the registration to the end of the session, whose reason it gives. Never rejects. */
  async live(session: ConsumerSession): Promise<ConsumeEndReason> {
    const { ended, channel } = session;
    const context = this.#enter(session);
    await Promise.race([context, ended]);
    if (session.isConsuming) {
      await Promise.race([this.#hook(() => this.#hooks.onConsumeReady?.(channel)), ended]);
    }
    const stop = this.#iterate();
    const reason = await ended;
    stop();
    await this.#bounded(() => this.#hooks.onConsumeEnd?.(reason));
    await this.#bounded(async () => dispose(await context));
    return reason;
  }

  async #enter({ channel }: ConsumerSession): Promise<ExtraContext> {
    let context: ExtraContext;
    await this.#hook(async () => {
      context = await this.#hooks.extraContext?.(channel);
    });
    return context;
  }

  #iterate(): () => void {
    const { clock } = this.parts;
    if (this.#hooks.onIteration === undefined) return () => undefined;
    let over = false;
    let cancel = (): void => undefined;
    const next = (): void => {
      cancel = clock.schedule(this.options.safetyInterval, () => {
        void this.#hook(() => this.#hooks.onIteration?.()).then(() => over || next());
      });
    };
    next();
    return () => {
      over = true;
      cancel();
    };
  }

  #hook(call: () => unknown): Promise<void> {
    return hooked(this.parts, this.definition.name, call);
  }

  /** A hook that never settles must not keep the consumer from consuming again. */
  #bounded(call: () => unknown): Promise<void> {
    return atMost(this.parts.clock, this.options.settleTimeout, this.#hook(call));
  }
}

async function dispose(context: ExtraContext): Promise<void> {
  if (context === undefined || context === null) return;
  if (Symbol.asyncDispose in context) await context[Symbol.asyncDispose]();
  else context[Symbol.dispose]();
}
