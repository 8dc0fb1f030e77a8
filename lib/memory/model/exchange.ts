import type { FieldTable } from '../wire/field-value.js';
import { textOf } from '../wire/field-value.js';
import type { Binding, Destination } from './binding.js';
import { matchesHeaders, sameBinding } from './binding.js';
import { matchesWords, wordsOf } from './topic-words.js';

export const exchangeTypes = ['direct', 'fanout', 'topic', 'headers'] as const;

export type ExchangeType = (typeof exchangeTypes)[number];

export interface ExchangeDeclaration {
  readonly name: string;
  readonly type: ExchangeType;
  readonly durable: boolean;
  readonly autoDelete: boolean;
  readonly internal: boolean;
  readonly arguments: FieldTable;
}

/** An exchange and the bindings that lead from it. */
export class MemoryExchange {
  #bindings: Binding[] = [];
  /** Of a direct exchange, by routing key. */
  readonly #byKey = new Map<string, Binding[]>();

  constructor(readonly declaration: ExchangeDeclaration) {}

  get name(): string {
    return this.declaration.name;
  }

  get alternate(): string | undefined {
    return textOf(this.declaration.arguments.get('alternate-exchange'));
  }

  get isBound(): boolean {
    return this.#bindings.length > 0;
  }

  get bindings(): readonly Binding[] {
    return this.#bindings;
  }

  bind(binding: Binding): void {
    const { routingKey } = binding;
    const alike = this.#byKey.get(routingKey) ?? [];
    if (alike.some((one) => sameBinding(one, binding))) return;
    this.#bindings.push(binding);
    this.#byKey.set(routingKey, [...alike, binding]);
  }

  /** @returns whether any was removed */
  unbind(holds: (binding: Binding) => boolean): boolean {
    const kept = this.#bindings.filter((binding) => !holds(binding));
    if (kept.length === this.#bindings.length) return false;
    this.#bindings = kept;
    this.#byKey.clear();
    for (const binding of kept) {
      const alike = this.#byKey.get(binding.routingKey) ?? [];
      alike.push(binding);
      this.#byKey.set(binding.routingKey, alike);
    }
    return true;
  }

  /** Where a message goes from here. */
  route(routingKeys: readonly string[], headers: () => FieldTable): Destination[] {
    return this.#matching(routingKeys, headers).map(({ destination }) => destination);
  }

  #matching(routingKeys: readonly string[], headers: () => FieldTable): readonly Binding[] {
    switch (this.declaration.type) {
      case 'direct':
        return routingKeys.flatMap((key) => this.#byKey.get(key) ?? []);
      case 'fanout':
        return this.#bindings;
      case 'topic': {
        const keys = routingKeys.map(wordsOf);
        return this.#bindings.filter(({ words }) => keys.some((key) => matchesWords(words, key)));
      }
      case 'headers': {
        const table = headers();
        return this.#bindings.filter((binding) => matchesHeaders(binding, table));
      }
    }
  }
}
