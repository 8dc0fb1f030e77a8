const shown = (value) =>
  value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toFixed(value >= 10 ? 1 : 2);

/** A table in Markdown. */
export function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** The median, its spread, and the median of the ratios to the baseline of the same round. */
export const cells = ({ median, min, max }, ratio) => [
  `${shown(median)} (${shown(min)}-${shown(max)})`,
  ratio === undefined ? '' : ratio.median.toFixed(2),
];
