/** What this package logs to. Nest's `LoggerService` is one, and so is the console. */
export interface FailoverLogger {
  log(message: string): void;
  warn(message: string): void;
  error(message: string, error?: unknown): void;
  debug?(message: string): void;
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
