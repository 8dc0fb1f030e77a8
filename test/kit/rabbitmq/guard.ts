import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

import { RUN_VARIABLE } from './process-table.js';

/**
 * Plain JavaScript in a string: it runs under any Node, whether this file was compiled, or transformed in memory.
 * It waits for the end of its stdin, which comes with the end of its parent however that ended, then ends all processes
 * of the run until three looks in a row have found none (a worker may just be starting a node), and removes the folder.
 */
const SCRIPT = `
const { readdirSync, readFileSync, rmSync } = require('node:fs');
const { execFileSync } = require('node:child_process');
const folder = process.argv[1];
const entry = '${RUN_VARIABLE}=' + folder;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => {});
function inProc() {
  return readdirSync('/proc').filter((name) => {
    try {
      return /^\\d+$/.test(name) && readFileSync('/proc/' + name + '/environ', 'latin1').split('\\0').includes(entry);
    } catch { return false; }
  });
}
function inPs() {
  return execFileSync('ps', ['-axEww', '-o', 'pid=,command='], { encoding: 'utf8', maxBuffer: 1 << 26 })
    .split('\\n').filter((line) => (line + ' ').includes(' ' + entry + ' ')).map((line) => line.trim().split(' ')[0]);
}
let quiet = 0;
function sweep() {
  const pids = process.platform === 'linux' ? inProc() : inPs();
  for (const pid of pids) try { process.kill(Number(pid), 'SIGKILL'); } catch {}
  quiet = pids.length === 0 ? quiet + 1 : 0;
  if (quiet < 3) return setTimeout(sweep, 50);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
process.stdin.on('error', () => {}).once('close', sweep).resume();
`;

/** Ends a run, even where the process that started it cannot: on Ctrl-C, SIGTERM, SIGKILL. */
export class Guard {
  readonly #folder: string;
  #process: ChildProcess;

  constructor(folder: string) {
    this.#folder = folder;
    this.#process = this.#start('pipe');
  }

  /** Ends every process of the run and removes its folder. A second call does nothing. */
  async end(): Promise<void> {
    if (this.#process.exitCode === 0) return;
    if (hasEnded(this.#process)) this.#process = this.#start('ignore');
    const exit = once(this.#process, 'exit');
    this.#process.ref();
    this.#process.stdin?.destroy();
    const [code] = await exit;
    if (code !== 0) throw new Error(`the guard of ${this.#folder} ended with code ${String(code)}`);
  }

  /** Detached: in a session of its own, Ctrl-C in the terminal does not reach it. */
  #start(stdin: 'pipe' | 'ignore'): ChildProcess {
    const guard = spawn(process.execPath, ['-e', SCRIPT, this.#folder], {
      cwd: '/',
      detached: true,
      env: {},
      stdio: [stdin, 'ignore', 'ignore'],
    });
    guard.unref();
    // A guard that was ended by hand is noticed in end(); its broken pipe must not end this process.
    guard.stdin?.on('error', () => {});
    return guard;
  }
}

function hasEnded(guard: ChildProcess): boolean {
  return guard.exitCode !== null || guard.signalCode !== null;
}
