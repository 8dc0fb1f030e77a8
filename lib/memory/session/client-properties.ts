import type { FieldTable } from '../wire/field-value.js';
import { emptyTable, textOf } from '../wire/field-value.js';

/** What a client says of itself. */
export class ClientProperties {
  constructor(private readonly table: FieldTable = emptyTable) {}

  get connectionName(): string | undefined {
    return textOf(this.table.get('connection_name'));
  }

  get hearsCancels(): boolean {
    return this.#can('consumer_cancel_notify');
  }

  get hearsBlocked(): boolean {
    return this.#can('connection.blocked');
  }

  /** A wrong login is told with connection.close; else the socket is closed without a word. */
  get hearsRefusal(): boolean {
    return this.#can('authentication_failure_close');
  }

  #can(capability: string): boolean {
    const capabilities = this.table.get('capabilities');
    return capabilities?.type === 'table' && capabilities.value.get(capability)?.value === true;
  }
}
