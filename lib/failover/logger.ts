import { guarded } from './listeners.js';

/** What this package logs to. Nest's `LoggerService` is one, and so is the console. */
export interface FailoverLogger {
  log(message: string): void;
  warn(message: string): void;
  error(message: string, error?: unknown): void;
  debug?(message: string): void;
}

const write = (line: () => unknown): void => guarded(line, 'logger', () => undefined);

/** The same logger, but whatever it throws or rejects with is dropped: there is nobody left to tell. */
export function guardedLogger(logger: FailoverLogger): FailoverLogger {
  return {
    log: (message) => write(() => logger.log(message)),
    warn: (message) => write(() => logger.warn(message)),
    error: (message, ...rest) => write(() => logger.error(message, ...rest)),
    debug: (message) => write(() => logger.debug?.(message)),
  };
}

/** For use without Nest: problems and recoveries go to the console, the rest is not worth a line. */
export const consoleLogger: FailoverLogger = {
  log: (message) => console.log(message),
  warn: (message) => console.warn(message),
  error: (message, error) =>
    error === undefined ? console.error(message) : console.error(message, error),
};

export const silentLogger: FailoverLogger = {
  log: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
