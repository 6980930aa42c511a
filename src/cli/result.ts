// A run's result as text.

import { join } from 'node:path';
import { type Experiment, formatSummary, type RunResult, shownMetrics } from '../experiments/index.js';

/** Columns padded to their widest cell; the first left, the others right. */
export function textTable(columns: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const lines = [columns, ...rows].map((line) => line.map(String));
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => [...(line[at] ?? '')].length)));
  const pad = (cell: string, at: number) => {
    const space = ' '.repeat((widths[at] as number) - [...cell].length);
    return at === 0 ? cell + space : space + cell;
  };
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  const [head = '', ...body] = lines.map((line) => line.map(pad).join('  ').trimEnd());
  return [head, rule, ...body].join('\n');
}

export function printResult(experiment: Experiment, result: RunResult, folder: string): void {
  const metrics = shownMetrics(experiment, result);
  const columns = ['method', ...metrics.map(([, { label, unit }]) => (unit ? `${label} (${unit})` : label))];
  const rows = result.rows.map(({ method, metrics: values }) => [
    method,
    ...metrics.map(([name, metric]) => formatSummary(values[name] ?? { mean: Number.NaN, sd: 0 }, metric)),
  ]);
  const claims = result.claims.map(
    ({ claim, value, bound, holds }) => `${holds ? '✓' : '✗'} ${claim}: ${value.toPrecision(4)} (bound ${bound})`,
  );
  const studies = result.studies.flatMap((study) => [
    '',
    study.title,
    textTable(study.columns, study.rows),
    study.note,
  ]);
  console.log(
    [
      `${experiment.title} on ${result.data}, ${result.seeds.length} seeds, ${result.threads} threads, ${result.seconds.toFixed(0)} s`,
      '',
      textTable(columns, rows),
      '',
      ...result.notes,
      ...studies,
      '',
      ...claims,
      '',
      `Results in ${folder}; open ${join(folder, 'report.html')}`,
    ].join('\n'),
  );
}
