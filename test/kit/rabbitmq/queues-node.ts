import { AccountsNode } from './accounts-node.js';
import { binary } from './erl-call.js';

const QUORUM = 'rabbit_quorum_queue';

/** Queues and connections. All counts are asked of the queue itself; RabbitMQ's metrics lag by seconds. */
export class QueuesNode extends AccountsNode {
  /** All messages of a queue, delivered and unacknowledged ones included; undefined where there is no such queue. */
  messageCount(queue: string, vhost = '/'): Promise<number | undefined> {
    return this.#count(queue, vhost, 'messages', 'query_messages_total');
  }

  /** The messages that wait for a consumer. */
  readyCount(queue: string, vhost = '/'): Promise<number | undefined> {
    return this.#count(queue, vhost, 'messages_ready', 'query_messages_ready');
  }

  consumerCount(queue: string, vhost = '/'): Promise<number | undefined> {
    return this.#count(queue, vhost, 'consumers', 'query_consumer_count');
  }

  /** The client connections of this node, or those of them that use one virtual host. */
  async connectionCount(vhost?: string): Promise<number> {
    const all = 'rabbit_networking:local_connections()';
    const wanted = `[{vhost, ${binary(vhost ?? '')}}]`;
    const some = `[P || P <- ${all}, (catch rabbit_reader:info(P, [vhost])) =:= ${wanted}]`;
    return Number(await this.eval(`length(${vhost === undefined ? all : some})`));
  }

  /** Closes the client connections of this node with 320 (CONNECTION_FORCED) and this reason. */
  async closeConnections(reason: string): Promise<void> {
    await this.eval(
      `[catch rabbit_reader:shutdown(P, binary_to_list(${binary(reason)})) || P <- rabbit_networking:local_connections()]`,
    );
  }

  /** Deletes a queue as `rabbitmqctl delete_queue` does: its consumers get a `basic.cancel`. None = fine. */
  async deleteQueue(queue: string, vhost = '/'): Promise<void> {
    const gone = `rabbit_amqqueue:delete(Q, false, false, ${binary('kit')})`;
    await this.eval(this.#withQueue(queue, vhost, `element(1, ${gone})`), 30_000);
  }

  /** Takes all consumers off a classic queue, and tells them so by a `basic.cancel`, as when a queue goes. */
  async cancelConsumers(queue: string, vhost = '/'): Promise<void> {
    const told = `{'basic.cancel', element(2, C), true}`;
    const request = `{basic_cancel, element(1, C), element(2, C), ${told}, ${binary('kit')}}`;
    const cancel = `gen_server2:call(amqqueue:get_pid(Q), ${request})`;
    await this.eval(
      this.#withQueue(queue, vhost, `[${cancel} || C <- rabbit_amqqueue:consumers(Q)]`),
    );
  }

  /** The name of the node where the queue's leader answers; undefined while there is none, or no such queue. */
  async leaderNameOf(queue: string, vhost = '/'): Promise<string | undefined> {
    const quorum = `case ra:members({Name, Member}, 2000) of {ok, _, {_, L}} -> L; _ -> undefined end`;
    const leader = `case amqqueue:get_type(Q) of ${QUORUM} -> ${this.#quorum(quorum)}; _ -> node(amqqueue:get_pid(Q)) end`;
    const name = unquoted(await this.eval(this.#withQueue(queue, vhost, leader)));
    return name === 'undefined' ? undefined : name;
  }

  /**
   * Whether every replica of a quorum queue is online and has applied all that its leader had applied when asked:
   * only then may another node die without a gap. False where the queue is none, or has no leader.
   */
  async isCaughtUp(queue: string, vhost = '/'): Promise<boolean> {
    const query = 'fun rabbit_fifo:query_messages_total/1';
    const all =
      `case ra:leader_query({Name, Member}, ${query}, 2000) of {ok, {{I, _}, _}, _} -> ` +
      `lists:all(fun(N) -> case catch ra:local_query({Name, N}, ${query}, 2000) of ` +
      `{ok, {{J, _}, _}, _} -> J >= I; _ -> false end end, Nodes); _ -> false end`;
    return (await this.eval(this.#withQueue(queue, vhost, this.#quorum(all)), 20_000)) === 'true';
  }

  async #count(
    queue: string,
    vhost: string,
    key: string,
    query: string,
  ): Promise<number | undefined> {
    const quorum = `case ra:leader_query({Name, Member}, fun rabbit_fifo:${query}/1, 2000) of {ok, {_, C}, _} -> C; _ -> undefined end`;
    const classic = `case rabbit_amqqueue:info(Q, [${key}]) of [{_, C}] -> C end`;
    const count = `case amqqueue:get_type(Q) of ${QUORUM} -> ${this.#quorum(quorum)}; _ -> ${classic} end`;
    const answer = await this.eval(this.#withQueue(queue, vhost, count));
    return answer === 'undefined' ? undefined : Number(answer);
  }

  #withQueue(queue: string, vhost: string, expression: string): string {
    const name = `rabbit_misc:r(${binary(vhost)}, queue, ${binary(queue)})`;
    return `case rabbit_amqqueue:lookup(${name}) of {ok, Q} -> ${expression}; _ -> undefined end`;
  }

  /** Binds Name, Nodes and Member: a replica that can be asked, which is the one of this node if it has one. */
  #quorum(expression: string): string {
    return (
      `begin {Name, _} = amqqueue:get_pid(Q), Ns = maps:get(nodes, amqqueue:get_type_state(Q)), ` +
      // A map of them since RabbitMQ 4.
      `Nodes = if is_map(Ns) -> maps:keys(Ns); true -> Ns end, ` +
      `Member = hd([N || N <- [node() | nodes()], lists:member(N, Nodes)]), ${expression} end`
    );
  }
}

function unquoted(atom: string): string {
  return atom.replaceAll("'", '');
}
