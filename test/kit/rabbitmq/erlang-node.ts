import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { evalErlang } from './erl-call.js';
import { nodeEnvironment } from './node-spec.js';
import type { NodeSpec } from './node-spec.js';
import { NODE_VARIABLE, processesWith } from './process-table.js';
import type { OwnProcess } from './process-table.js';

const run = promisify(execFile);

/** What an AMQP URL of a node may say; the defaults are `/` and `guest`. */
export interface UrlParts {
  vhost?: string;
  user?: string;
  password?: string;
}

/** A node as a process that can be asked things. */
export class ErlangNode {
  constructor(readonly spec: NodeSpec) {}

  /** Its Erlang name, as in `rmq12345@localhost`. */
  get name(): string {
    return this.spec.name;
  }

  /** Its AMQP port on 127.0.0.1; it keeps it over restarts. */
  get port(): number {
    return this.spec.port;
  }

  /** As the process table has it now: 'paused' is SIGSTOP; 'running' says nothing about the broker in it. */
  get state(): 'running' | 'paused' | 'dead' {
    const [beam] = this.beams();
    if (beam === undefined) return 'dead';
    return beam.stopped ? 'paused' : 'running';
  }

  /** Whether its process exists, paused or not. */
  get alive(): boolean {
    return this.state !== 'dead';
  }

  /** `amqp://guest:guest@127.0.0.1:PORT/VHOST`, all parts encoded. */
  url({ vhost = '/', user = 'guest', password = 'guest' }: UrlParts = {}): string {
    const encoded = [user, password, vhost].map((part) => encodeURIComponent(part));
    return `amqp://${encoded[0]}:${encoded[1]}@127.0.0.1:${this.port}/${encoded[2]}`;
  }

  /** Evaluates Erlang on the node; see evalErlang. */
  eval(expression: string, deadline?: number): Promise<string> {
    return evalErlang(this.spec, expression, deadline);
  }

  /** Runs rabbitmqctl against the node (about 2 s) and returns what it printed. */
  async ctl(...args: string[]): Promise<string> {
    const { stdout } = await run(this.spec.run.tools.ctl, ['-q', '-n', this.name, ...args], {
      env: nodeEnvironment(this.spec),
      timeout: 60_000,
    });
    return stdout;
  }

  /** The last lines of its logs, for an error or a curious test. */
  logTail(lines = 15): string {
    return [
      join(this.spec.folder, 'console.log'),
      join(this.spec.folder, 'log', `${this.name}.log`),
    ]
      .filter((file) => existsSync(file))
      .flatMap((file) => readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines))
      .join('\n');
  }

  protected beams(): OwnProcess[] {
    return processesWith(NODE_VARIABLE, this.spec.folder).filter((process) => process.beam);
  }
}
