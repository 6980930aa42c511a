// A run's result as text.

import { join } from 'node:path';
import {
  type Claim,
  claimGroups,
  counted,
  type Experiment,
  type ExperimentRecord,
  formatValue,
  methodTable,
  type RunResult,
  shareOf,
} from '../experiments/index.js';

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

/** The claims in three groups, then how many of the abstract's are shown. */
export function claimText(
  record: ExperimentRecord,
  experiment: Experiment,
  claims: readonly Claim[],
  smoke = false,
): string[] {
  const { abstract } = record;
  const line = ({ claim, value, bound, holds }: Claim) =>
    `${holds ? '✓' : '✗'} ${claim}: ${formatValue(value)} (bound ${bound})`;
  const quoted = Object.entries(abstract).flatMap(([key, words]) => {
    const own = claims.filter((claim) => claim.words === key);
    return [
      `“${words}”`,
      ...(own.length > 0 ? own.map((claim) => `  ${line(claim)}`) : ['  not measured in this run']),
    ];
  });
  const groups = claimGroups.flatMap(({ source, title }) => {
    const lines: readonly string[] =
      source === 'abstract' ? quoted : claims.filter((claim) => claim.source === source).map(line);
    return lines.length > 0 ? [`${title}:`, ...lines, ''] : [];
  });
  return [...groups, `${shareOf(record, experiment, claims, smoke)}.`];
}

export async function printResult(record: ExperimentRecord, result: RunResult, folder: string): Promise<void> {
  const { experiment } = await record.load();
  const { columns, rows } = methodTable(experiment, result.rows);
  const studies = result.studies.flatMap((study) => [
    '',
    study.title,
    textTable(study.columns, study.rows),
    study.note,
  ]);
  const { data, seeds, threads, seconds, notes, claims } = result;
  console.log(
    [
      `${record.title} on ${data}, ${counted(seeds.length, 'seed')}, ${counted(threads, 'thread')}, ${seconds.toFixed(0)} s`,
      '',
      textTable(columns, rows),
      '',
      ...notes,
      ...studies,
      '',
      ...claimText(record, experiment, claims, result.smoke),
      '',
      `Results in ${folder}; open ${join(folder, 'report.html')}`,
    ].join('\n'),
  );
}
