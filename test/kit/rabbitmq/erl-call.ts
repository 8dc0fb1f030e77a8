import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

import { runEnvironment } from './node-spec.js';
import type { NodeSpec } from './node-spec.js';

/**
 * Evaluates Erlang expressions (separated by commas, no final dot) on a node and returns the printed value of the last.
 * Takes about 20 ms, where rabbitmqctl takes 2 s, because it starts no VM.
 *
 * @param deadline in ms, default 10,000: a paused node never answers.
 * @throws Error that names the node, the expression and what erl_call said.
 */
export async function evalErlang(
  spec: NodeSpec,
  expression: string,
  deadline = 10_000,
): Promise<string> {
  // On a busy machine erl_call gives up on the handshake with a node that lives; it has evaluated nothing then.
  for (let left = 2; ; left -= 1) {
    try {
      return await evalOnce(spec, expression, deadline);
    } catch (error) {
      const refused = error instanceof Error && error.message.includes('failed to connect to node');
      if (left === 0 || !refused) throw error;
    }
  }
}

async function evalOnce(spec: NodeSpec, expression: string, deadline: number): Promise<string> {
  const call = spawn(spec.run.tools.erlCall, ['-sname', spec.name, '-e'], {
    env: runEnvironment(spec.run),
    signal: AbortSignal.timeout(deadline),
    killSignal: 'SIGKILL',
  });
  const failed = new Promise<never>((_resolve, reject) => {
    call.once('error', (cause) =>
      reject(
        new Error(`${spec.name} did not answer within ${deadline} ms: ${expression}`, { cause }),
      ),
    );
  });
  // erl_call may be gone before it has read anything; its exit tells then.
  call.stdin.on('error', () => {});
  call.stdin.end(`${expression}.\n`);
  const [out, err] = await Promise.race([
    Promise.all([text(call.stdout), text(call.stderr)]),
    failed,
  ]);
  const value = /^\{ok, (.*)\}$/s.exec(out.trim())?.[1];
  if (value !== undefined) return value;
  throw new Error(`${spec.name} refused: ${expression}: ${`${out} ${err}`.trim()}`);
}

/** A text as an Erlang binary, whatever characters it holds. */
export function binary(value: string): string {
  if (/^[\w .:*/-]*$/.test(value)) return `<<"${value}">>`;
  return `<<${[...Buffer.from(value)].join(',')}>>`;
}
