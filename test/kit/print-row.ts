/** One line for each row, whatever becomes of it afterwards. */
export function printRow(row: string, figures: object): void {
  const shown = Object.entries(figures).map(([name, value]) => `${name} ${String(value)}`);
  process.stdout.write(`[fault] ${row}: ${shown.join(', ')}\n`);
}
