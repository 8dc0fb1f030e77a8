import type { FailoverLogger } from '../../../lib/failover/logger.js';

/** A logger that keeps its lines, as in `warn: ...`. */
export class RecordingLogger implements FailoverLogger {
  readonly lines: string[] = [];
  readonly errors: unknown[] = [];

  log(message: string): void {
    this.lines.push(`log: ${message}`);
  }

  warn(message: string): void {
    this.lines.push(`warn: ${message}`);
  }

  error(message: string, error?: unknown): void {
    this.lines.push(`error: ${message}`);
    if (error !== undefined) this.errors.push(error);
  }

  debug(message: string): void {
    this.lines.push(`debug: ${message}`);
  }
}
