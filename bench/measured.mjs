import { fork } from 'node:child_process';

const LIMIT = 300_000;

/** Forks one client with one workload. `on` answers what it says before its result, which is what this resolves with. */
export function measured(client, workload, job, on = {}) {
  const child = fork(new URL('worker.mjs', import.meta.url), {
    execArgv: process.env.BENCH_EXEC_ARGV?.split(' ') ?? [],
    stdio: ['ignore', 2, 2, 'ipc'],
  });
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT);
    child.once('exit', (code, signal) => {
      clearTimeout(limit);
      reject(new Error(`${client}, ${workload}: ended with ${signal ?? code} and no result`));
    });
    child.on('message', (said) => {
      if (typeof said === 'object') resolve(said);
      else Promise.resolve(on[said]?.(child)).catch(reject);
    });
    child.send({ client, workload, job });
  });
}
