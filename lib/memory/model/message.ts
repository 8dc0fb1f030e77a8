import type { FieldTable, FieldValue } from '../wire/field-value.js';
import { emptyTable } from '../wire/field-value.js';
import type { Properties } from '../wire/properties.js';
import { decodeProperties, encodeProperties } from '../wire/properties.js';

/** A published message. Immutable: what changes on its way (a dead-lettering, a count of deliveries) makes another one. */
export class StoredMessage {
  #decoded: Properties | undefined;

  constructor(
    readonly exchange: string,
    /** The key it was published with, then those of its `CC` and `BCC` headers. */
    readonly routingKeys: readonly string[],
    /** Flags and properties as they stand on the wire. */
    readonly properties: Buffer,
    readonly body: Buffer,
  ) {}

  get routingKey(): string {
    return this.routingKeys[0] ?? '';
  }

  /** Decoded on first use. */
  get decoded(): Properties {
    this.#decoded ??= decodeProperties(this.properties);
    return this.#decoded;
  }

  get headers(): FieldTable {
    return this.decoded.headers ?? emptyTable;
  }

  get isPersistent(): boolean {
    return this.decoded.deliveryMode === 2;
  }

  with(changes: {
    readonly exchange?: string;
    readonly routingKeys?: readonly string[];
    readonly properties?: Properties;
  }): StoredMessage {
    const { exchange = this.exchange, routingKeys = this.routingKeys, properties } = changes;
    const bytes = properties === undefined ? this.properties : encodeProperties(properties);
    return new StoredMessage(exchange, routingKeys, bytes, this.body);
  }

  withHeader(name: string, value: FieldValue): StoredMessage {
    const headers = new Map(this.headers).set(name, value);
    return this.with({ properties: { ...this.decoded, headers } });
  }
}
