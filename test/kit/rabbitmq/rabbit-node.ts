import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';

import { serverEnvironment } from './node-spec.js';
import { accepts } from './ports.js';
import { hasEnded, signal } from './process-table.js';
import { QueuesNode } from './queues-node.js';
import { until } from './until.js';

/** A cluster waits for its other nodes at boot, which on few cores takes its time. */
const BOOT = 120_000;

/**
 * A real RabbitMQ node on loopback. Its faults are those of a node in production; each promise resolves when the fault
 * is a fact, and rejects with the node's name and the end of its log where it does not become one.
 */
export class RabbitNode extends QueuesNode {
  /** Starts it in its own folder, with the data it had; resolves when it is ready. Fine if it runs already. */
  async start(): Promise<void> {
    if (this.alive) return this.resume();
    const log = openSync(join(this.spec.folder, 'console.log'), 'a');
    const server = spawn(this.spec.run.tools.server, [], {
      cwd: this.spec.folder,
      detached: true,
      env: serverEnvironment(this.spec),
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    server.unref();
    let failure: string | undefined;
    server.once('error', (error) => (failure = error.message));
    server.once('exit', (code, name) => (failure = `it ended with ${code ?? name}`));
    await this.#fact('to start', BOOT, () => {
      if (failure !== undefined) throw new Error(`${this.name}: ${failure}\n${this.logTail()}`);
      return this.isReady();
    });
  }

  /** SIGKILL: a crash. Every connection of the node is reset. */
  async kill(): Promise<void> {
    const pids = this.#signal('SIGKILL');
    await this.#fact('to be gone', 10_000, () => this.#isGone(pids));
  }

  /** SIGTERM: an orderly stop, which closes connections with 320 and hands queue leaders over. */
  async stop(): Promise<void> {
    this.#signal('SIGCONT');
    const pids = this.#signal('SIGTERM');
    await this.#fact('to stop', 60_000, () => this.#isGone(pids));
  }

  /** `stop()`, then `start()`. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** SIGSTOP: a hung node. TCP connections are still accepted by the kernel, and nothing answers. */
  async pause(): Promise<void> {
    this.#signal('SIGSTOP');
    await this.#fact('to hang', 5000, () => this.state === 'paused');
  }

  /** SIGCONT: the end of `pause()`; resolves when the node answers again. */
  async resume(): Promise<void> {
    this.#signal('SIGCONT');
    await this.#fact('to answer', 30_000, async () => {
      return this.state === 'running' && (await this.#holds('true'));
    });
  }

  /** `rabbitmqctl stop_app`: the broker ends, the Erlang node lives on. */
  async stopApp(): Promise<void> {
    await this.eval('rabbit:stop(), ok', 60_000);
  }

  /** `rabbitmqctl start_app`; resolves when the node is ready. */
  async startApp(): Promise<void> {
    await this.eval('rabbit:start(), ok', BOOT);
    await this.#fact('to start its application', BOOT, () => this.isReady());
  }

  /** Raises or ends the memory alarm: while it is on, publishers of the whole cluster are blocked. */
  async memoryAlarm(on: boolean): Promise<void> {
    const watermark = on ? '0.0001' : '{absolute, "2GB"}';
    await this.eval(`vm_memory_monitor:set_vm_memory_high_watermark(${watermark})`);
    const alarm = `lists:keymember({resource_limit, memory, node()}, 1, rabbit_alarm:get_alarms())`;
    await this.#fact(`to ${on ? 'raise' : 'end'} its memory alarm`, 10_000, () =>
      this.#holds(`${alarm} =:= ${on}`),
    );
  }

  /** `rabbitmqctl suspend_listeners`: new connections are refused, open ones live on. */
  async suspendListeners(): Promise<void> {
    await this.eval('rabbit_maintenance:suspend_all_client_listeners()');
    await this.#fact('to refuse connections', 10_000, async () => !(await accepts(this.port)));
  }

  async resumeListeners(): Promise<void> {
    await this.eval('rabbit_maintenance:resume_all_client_listeners()');
    await this.#fact('to accept connections', 10_000, () => accepts(this.port));
  }

  /** Whether the AMQP port accepts and the broker has booted. */
  async isReady(): Promise<boolean> {
    return (await accepts(this.port)) && (await this.#holds('rabbit:is_running()'));
  }

  /** Undoes every fault above: afterwards the node is ready, without alarm, and accepts connections. */
  async heal(): Promise<void> {
    await this.start();
    if (!(await this.#holds('rabbit:is_running()'))) await this.startApp();
    const calm = 'element(1, vm_memory_monitor:get_vm_memory_high_watermark()) =:= absolute';
    if (!(await this.#holds(calm))) await this.memoryAlarm(false);
    if (!(await accepts(this.port))) await this.resumeListeners();
  }

  #signal(name: NodeJS.Signals): number[] {
    const pids = this.beams().map((beam) => beam.pid);
    for (const pid of pids) signal(pid, name);
    return pids;
  }

  async #isGone(pids: readonly number[]): Promise<boolean> {
    return pids.every((pid) => hasEnded(pid)) && !(await accepts(this.port));
  }

  /** False also while the node does not answer at all. */
  async #holds(expression: string): Promise<boolean> {
    try {
      return (await this.eval(expression, 5000)) === 'true';
    } catch {
      return false;
    }
  }

  #fact(what: string, deadline: number, fact: () => boolean | Promise<boolean>): Promise<void> {
    return until(`${this.name} ${what}`, fact, deadline, () => `\n${this.logTail()}`);
  }
}
