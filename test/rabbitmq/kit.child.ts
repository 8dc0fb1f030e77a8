import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const KIT = fileURLToPath(new URL('../kit/rabbitmq/index.ts', import.meta.url));

/** Node 20 runs no TypeScript, so vite loads the kit in the child, as vitest does here. */
const SCRIPT = `
import { createServer, createServerModuleRunner } from 'vite';
const server = await createServer({ configFile: false, root: ${JSON.stringify(ROOT)}, logLevel: 'error',
  server: { middlewareMode: true, watch: null, ws: false }, appType: 'custom', optimizeDeps: { noDiscovery: true } });
const kit = await createServerModuleRunner(server.environments.ssr).import(${JSON.stringify(KIT)});
const run = await kit.RabbitRun.begin();
const broker = await run.startBroker();
console.log(JSON.stringify({ folder: run.spec.folder, port: broker.port }));
`;

/** A process that has started a run with one broker and does nothing more. */
export async function startInChild(): Promise<{
  child: ChildProcess;
  folder: string;
  port: number;
}> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', SCRIPT], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the child ended with ${String(code)} before its broker was ready`);
  });
  const lines = once(createInterface(child.stdout), 'line');
  const [line] = (await Promise.race([lines, ended])) as [string];
  ended.catch(() => {});
  return { child, ...(JSON.parse(line) as { folder: string; port: number }) };
}
