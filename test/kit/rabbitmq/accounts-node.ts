import { binary } from './erl-call.js';
import { ErlangNode } from './erlang-node.js';

/** Limits of a virtual host or a user, by RabbitMQ's own names. */
export type Limits = Partial<
  Record<'max-connections' | 'max-channels' | 'max-queues' | 'max-queue-length', number>
>;

/** The acting user that RabbitMQ notes in its events. */
const ACTOR = binary('kit');

/** Virtual hosts and users. On a cluster they hold for all nodes, and need all running nodes to answer. */
export class AccountsNode extends ErlangNode {
  /** Adds a virtual host that runs on all nodes, open to `guest`. */
  async addVhost(name: string): Promise<void> {
    const vhost = binary(name);
    await this.#ok(
      `ok = rabbit_vhost:add(${vhost}, ${ACTOR}), ok = rabbit_vhost:await_running_on_all_nodes(${vhost}, 10000)`,
    );
    await this.setPermissions('guest', name);
  }

  /** Deletes a virtual host with all that is in it; its connections are closed by the broker. None = fine. */
  async deleteVhost(name: string): Promise<void> {
    const vhost = binary(name);
    await this.#ok(
      `case rabbit_vhost:exists(${vhost}) of true -> rabbit_vhost:delete(${vhost}, ${ACTOR}); false -> ok end, ok`,
    );
  }

  async addUser(name: string, password: string): Promise<void> {
    await this.#ok(
      `rabbit_auth_backend_internal:add_user(${binary(name)}, ${binary(password)}, ${ACTOR})`,
    );
  }

  async changePassword(name: string, password: string): Promise<void> {
    await this.#ok(
      `rabbit_auth_backend_internal:change_password(${binary(name)}, ${binary(password)}, ${ACTOR})`,
    );
  }

  async deleteUser(name: string): Promise<void> {
    await this.#ok(`rabbit_auth_backend_internal:delete_user(${binary(name)}, ${ACTOR})`);
  }

  /** Regular expressions as in `rabbitmqctl set_permissions`; each defaults to all. */
  async setPermissions(
    user: string,
    vhost: string,
    { configure = '.*', write = '.*', read = '.*' } = {},
  ): Promise<void> {
    const parts = [user, vhost, configure, write, read].map((part) => binary(part)).join(', ');
    await this.#ok(`rabbit_auth_backend_internal:set_permissions(${parts}, ${ACTOR})`);
  }

  async clearPermissions(user: string, vhost: string): Promise<void> {
    await this.#ok(
      `rabbit_auth_backend_internal:clear_permissions(${binary(user)}, ${binary(vhost)}, ${ACTOR})`,
    );
  }

  async setVhostLimits(vhost: string, limits: Limits): Promise<void> {
    const json = binary(JSON.stringify(limits));
    await this.#ok(`rabbit_vhost_limit:parse_set(${binary(vhost)}, ${json}, ${ACTOR})`);
  }

  async clearVhostLimits(vhost: string): Promise<void> {
    await this.#ok(`rabbit_vhost_limit:clear(${binary(vhost)}, ${ACTOR})`);
  }

  async setUserLimits(user: string, limits: Limits): Promise<void> {
    const json = binary(JSON.stringify(limits));
    await this.#ok(
      `rabbit_auth_backend_internal:set_user_limits(${binary(user)}, ${json}, ${ACTOR})`,
    );
  }

  async clearUserLimits(user: string): Promise<void> {
    await this.#ok(
      `rabbit_auth_backend_internal:clear_user_limits(${binary(user)}, ${binary('all')}, ${ACTOR})`,
    );
  }

  /** The policy of one pattern, as in `rabbitmqctl set_policy`: e.g. `{ 'max-length': 1, overflow: 'reject-publish' }`. */
  async setPolicy(vhost: string, name: string, pattern: string, definition: object): Promise<void> {
    const parts = [vhost, name, pattern, JSON.stringify(definition)].map((part) => binary(part));
    await this.#ok(`rabbit_policy:parse_set(${parts.join(', ')}, 0, ${binary('all')}, ${ACTOR})`);
  }

  async #ok(expression: string): Promise<void> {
    const answer = await this.eval(expression, 30_000);
    if (answer !== 'ok') throw new Error(`${this.name} refused: ${expression}: ${answer}`);
  }
}
