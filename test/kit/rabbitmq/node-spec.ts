import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { NODE_VARIABLE, RUN_VARIABLE } from './process-table.js';
import type { RabbitMQTools } from './tools.js';

/** What all nodes of a run share. Plain data, so that it can be handed to another process. */
export interface RunSpec {
  readonly tools: RabbitMQTools;
  /** Also the HOME of every process of the run: Erlang reads its cookie there. */
  readonly folder: string;
  readonly epmdPort: number;
  /** See fewPlugins. */
  readonly plugins: string | undefined;
}

/** One node. Plain data, so that a worker can steer the same processes as the one that started them. */
export interface NodeSpec {
  readonly run: RunSpec;
  readonly name: string;
  readonly port: number;
  readonly distPort: number;
  readonly folder: string;
  /** In whole seconds, as Erlang has it; undefined = Erlang's own 60. */
  readonly netTickTime?: number;
}

/** The environment of every process of a run. */
export function runEnvironment(run: RunSpec): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    LANG: 'C.UTF-8',
    HOME: run.folder,
    ERL_EPMD_ADDRESS: '127.0.0.1',
    ERL_EPMD_PORT: String(run.epmdPort),
    [RUN_VARIABLE]: run.folder,
  };
}

/** The environment of rabbitmq-server and rabbitmqctl for this node. */
export function nodeEnvironment(spec: NodeSpec): Record<string, string> {
  const tick = spec.netTickTime === undefined ? '' : ` -kernel net_ticktime ${spec.netTickTime}`;
  return {
    ...runEnvironment(spec.run),
    RABBITMQ_NODENAME: spec.name,
    RABBITMQ_USE_LONGNAME: 'false',
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(spec.port),
    RABBITMQ_DIST_PORT: String(spec.distPort),
    RABBITMQ_MNESIA_BASE: join(spec.folder, 'data'),
    RABBITMQ_LOG_BASE: join(spec.folder, 'log'),
    RABBITMQ_PID_FILE: join(spec.folder, 'pid'),
    RABBITMQ_CONFIG_FILE: join(spec.folder, 'rabbitmq.conf'),
    RABBITMQ_CONF_ENV_FILE: join(spec.folder, 'no-rabbitmq-env.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(spec.folder, 'enabled_plugins'),
    ...(spec.run.plugins === undefined ? {} : { RABBITMQ_PLUGINS_DIR: spec.run.plugins }),
    // Several VMs share few cores: they may spin briefly (which halves the time of a boot), not for long.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
      '+sbwt very_short +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}' +
      tick,
    // The script then becomes the Erlang VM instead of staying in front of it.
    RUNNING_UNDER_SYSTEMD: 'true',
  };
}

/** The environment of rabbitmq-server alone: only the node itself is marked as the node. */
export function serverEnvironment(spec: NodeSpec): Record<string, string> {
  return { ...nodeEnvironment(spec), [NODE_VARIABLE]: spec.folder };
}

/** Writes the folder of a new node; `peers` are all nodes of its cluster, itself included, which then find each other. */
export function writeNodeFolder(
  spec: NodeSpec,
  peers: readonly string[],
  conf: readonly string[],
): void {
  mkdirSync(join(spec.folder, 'data'), { recursive: true });
  mkdirSync(join(spec.folder, 'log'));
  writeFileSync(join(spec.folder, 'enabled_plugins'), '[].\n');
  const lines = [
    `listeners.tcp.1 = 127.0.0.1:${spec.port}`,
    'vm_memory_high_watermark.absolute = 2GB',
    'disk_free_limit.absolute = 64MB',
    'log.console = false',
    ...(peers.length > 1 ? ['cluster_formation.peer_discovery_backend = classic_config'] : []),
    ...peers
      .filter(() => peers.length > 1)
      .map((name, index) => `cluster_formation.classic_config.nodes.${index + 1} = ${name}`),
    ...conf,
  ];
  writeFileSync(join(spec.folder, 'rabbitmq.conf'), `${lines.join('\n')}\n`);
}
