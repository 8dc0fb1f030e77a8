export { ensureRabbitMQ } from './ensure-rabbitmq.js';
export { RabbitCluster } from './rabbit-cluster.js';
export { RabbitNode } from './rabbit-node.js';
export { RabbitRun } from './rabbit-run.js';
export { until } from './until.js';
export type { Limits } from './accounts-node.js';
export type { NodeOptions } from './rabbit-run.js';
export type { NodeSpec, RunSpec } from './node-spec.js';
export type { UrlParts } from './erlang-node.js';
