import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** A process that a run of ours has started. */
export interface OwnProcess {
  readonly pid: number;
  /** Whether it is an Erlang VM. */
  readonly beam: boolean;
  /** Whether SIGSTOP holds it. */
  readonly stopped: boolean;
}

/** The variable that every process of a run carries; its value is the folder of the run. */
export const RUN_VARIABLE = 'NESTJS_FAILOVER_RUN';
/** The variable that the processes of one node carry; its value is the folder of the node. */
export const NODE_VARIABLE = 'NESTJS_FAILOVER_NODE';

/**
 * The living processes whose environment holds `variable=value`. The process table is the truth about a node: it needs
 * no bookkeeping, holds in every worker alike, and cannot name a process that is not ours.
 */
export function processesWith(variable: string, value: string): OwnProcess[] {
  const entry = `${variable}=${value}`;
  return process.platform === 'linux' ? fromProc(entry) : fromPs(entry);
}

function fromProc(entry: string): OwnProcess[] {
  const found: OwnProcess[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      // A zombie has an empty environment: it counts as gone.
      if (!readFileSync(`/proc/${name}/environ`, 'latin1').split('\0').includes(entry)) continue;
      const [, command = '', state = ''] =
        /\((.*)\) (.)/s.exec(readFileSync(`/proc/${name}/stat`, 'latin1')) ?? [];
      found.push({ pid: Number(name), beam: command.startsWith('beam'), stopped: state === 'T' });
    } catch {
      // It ended while it was read, or belongs to another user.
    }
  }
  return found;
}

function fromPs(entry: string): OwnProcess[] {
  const table = execFileSync('ps', ['-axEww', '-o', 'pid=,stat=,command='], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return table
    .split('\n')
    .filter((line) => `${line} `.includes(` ${entry} `))
    .map((line) => {
      const [pid = '', stat = '', program = ''] = line.trim().split(/\s+/);
      return { pid: Number(pid), beam: program.includes('beam'), stopped: stat.startsWith('T') };
    });
}

/** Sends a signal; a process that has ended meanwhile is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/**
 * Whether a process is gone with everything it held. An ending process loses its environment before the kernel closes
 * its sockets, and its first thread may be a zombie while another still holds them.
 */
export function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0);
    if (process.platform !== 'linux') return false;
    const zombie = /\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
    return zombie && readdirSync(`/proc/${pid}/task`).length < 2;
  } catch {
    return true;
  }
}
