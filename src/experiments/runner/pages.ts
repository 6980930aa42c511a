// Pages of the repository that follow from the records and the reproductions: REPRODUCTION.md, the
// table of systems in the README, and the part of docs/systems/<slug>.md between its marks.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readText, writeFileAtomic } from '../../data/node.js';
import { abstractShare, type Claim } from '../parts/claims.js';
import type { Experiment } from '../parts/contract.js';
import { citation } from '../parts/system-record.js';
import { comparisons, type ExperimentRecord, families, systems } from '../systems.js';
import {
  assignments,
  claimsOfReproduction,
  codeDigest,
  type ReproducedRun,
  type Reproduction,
  readReproduction,
  seedCount,
  unrunPresets,
} from './record.js';
import { claimGroups, counted, formatValue, methodTable, shareOf } from './result.js';

const marks = { begin: '<!-- made by gossamer reproduce: begin -->', end: '<!-- made by gossamer reproduce: end -->' };

/** A table in Markdown. */
function table(columns: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cell = (value: string | number) => String(value).replaceAll('|', '\\|');
  const line = (cells: readonly (string | number)[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n');
}

/** The page of a system or a comparison. */
const pageOf = ({ slug, paper }: ExperimentRecord) => `docs/${paper ? 'systems' : 'comparisons'}/${slug}.md`;

const mark = (holds: boolean) => (holds ? '✓' : '✗');

/** Whether the code of a system has changed since its reproduction. */
function isOutdated(record: ExperimentRecord, { code }: Reproduction, folder: string): boolean {
  const now = codeDigest(record, folder);
  return now !== undefined && now !== code;
}

function when(record: ExperimentRecord, made: Reproduction, folder: string): string {
  return `${made.date}, commit ${made.commit}${isOutdated(record, made, folder) ? ', **older than its code**' : ''}`;
}

/** Claims with where they were measured; those over all runs last. */
function measuredClaims({ runs, overall, command }: Reproduction): { claim: Claim; data: string; command: string }[] {
  return [
    ...runs.flatMap((run) => run.claims.map((claim) => ({ claim, data: dataOf(run), command: run.command }))),
    ...overall.map((claim) => ({ claim, data: 'all runs', command })),
  ];
}

/** The data set of a run with the options that were set. */
function dataOf({ data, command }: ReproducedRun): string {
  const set = [...command.matchAll(/--set (\S+)/g)].map(([, assignment]) => assignment);
  return [data, ...set].join(', ');
}

/** How much of an abstract a reproduction shows. */
function shareIn({ abstract }: ExperimentRecord, { claims, overall = [] }: Experiment, made: Reproduction) {
  return abstractShare(Object.keys(abstract), [...claims, ...overall], claimsOfReproduction(made));
}

/** REPRODUCTION.md: how much of each abstract is shown, then claim by claim. */
export async function reproductionPage(folder: string): Promise<string> {
  const made = await Promise.all(
    [...systems, ...comparisons].map(async (record: ExperimentRecord) => {
      const { experiment } = await record.load();
      return { record, experiment, reproduction: readReproduction(folder, record.slug) };
    }),
  );
  const overview = made.map(({ record, experiment, reproduction }) => {
    const link = `[${record.slug}](${pageOf(record)})`;
    if (!reproduction) return [link, '–', '–', '–', 'not reproduced yet'];
    const claims = claimsOfReproduction(reproduction);
    const { shown, partly, measured, all } = shareIn(record, experiment, reproduction);
    const rest = [
      ...(partly > 0 ? [`${partly} in part`] : []),
      ...(measured < all ? [`${all - measured} not measured`] : []),
    ];
    const held = (source: Claim['source']) => {
      const own = claims.filter((claim) => claim.source === source);
      return own.length === 0 ? '–' : `${own.filter(({ holds }) => holds).length} of ${own.length}`;
    };
    return [
      link,
      all === 0 ? '–' : `${shown} of ${all}${rest.length > 0 ? ` (${rest.join(', ')})` : ''}`,
      held('paper'),
      held('ours'),
      when(record, reproduction, folder),
    ];
  });
  const totals = made.flatMap(({ record, experiment, reproduction }) =>
    reproduction && record.paper ? [shareIn(record, experiment, reproduction)] : [],
  );
  const sum = (of: 'shown' | 'all') => totals.reduce((total, share) => total + share[of], 0);
  const sections = made.flatMap(({ record, experiment, reproduction }) =>
    reproduction ? [systemSection(record, experiment, reproduction, folder)] : [],
  );
  return `# Reproduction

What \`gossamer reproduce\` gave for each system: ${sum('shown')} of ${sum('all')} claims of the abstracts are shown,
over ${totals.length} of ${systems.length} systems.

A claim of an abstract has the abstract's words and bound; it counts as shown if all that measures it was
run, and held in every run. Claims of the paper's body come next. Our own say what can be asked at the size of these runs, and
never tick a claim of the abstract. The page is made from the files in \`reproduction/\`; \`gossamer reproduce <system>\`
makes a system's file again, and \`gossamer reproduce --pages\` the page alone.

${table(['system', 'claims of the abstract shown', 'of the paper held', 'our own held', 'run'], overview)}

${sections.join('\n\n')}
`;
}

function systemSection(record: ExperimentRecord, experiment: Experiment, made: Reproduction, folder: string): string {
  return `## ${record.slug}

${record.paper ? `${citation(record.paper)}. ` : ''}${shareOf(record, experiment, claimsOfReproduction(made))}
(${when(record, made, folder)}; ${made.machine}).

${claimTable(record, experiment, made)}`;
}

/** Source × claim × abstract's words × ours × holds × data × command. */
function claimTable({ abstract }: ExperimentRecord, { unmeasured = {} }: Experiment, made: Reproduction): string {
  const measured = measuredClaims(made);
  const order = claimGroups.map(({ source }) => source);
  const rows = [...measured]
    .sort((a, b) => order.indexOf(a.claim.source) - order.indexOf(b.claim.source))
    .map(({ claim: { claim, source, words, value, bound, holds }, data, command }) => [
      source,
      claim,
      words ? `“${abstract[words]}”` : '',
      formatValue(value),
      bound,
      mark(holds),
      data,
      `\`${command}\``,
    ]);
  const missing = Object.entries(abstract)
    .filter(([key]) => !measured.some(({ claim }) => claim.words === key))
    .map(([key, words]) => {
      const reason = unmeasured[key];
      return ['abstract', `not measured${reason ? `: ${reason}` : ''}`, `“${words}”`, '–', '', '–', '', ''];
    });
  return table(['source', 'claim', 'abstract', 'ours', 'bound', 'holds', 'data', 'command'], [...rows, ...missing]);
}

/** The generated part of docs/systems/<slug>.md. */
function systemPart(record: ExperimentRecord, experiment: Experiment, made: Reproduction | undefined, folder: string) {
  const { options, datasets, ownData, unmeasured = {} } = experiment;
  const quotes = Object.entries(record.abstract).map(([key, words]) => {
    const reason = unmeasured[key];
    return `- “${words}”${reason ? `: not measured (${reason})` : ''}`;
  });
  const settings = Object.entries(options).map(([name, { default: value, about }]) => [`\`${name}\``, value, about]);
  const results = made ? resultsPart(record, experiment, made, folder) : 'Not reproduced yet.';
  const source = record.paper ? `${citation(record.paper)}.\n\nThe abstract claims:\n\n${quotes.join('\n')}\n\n` : '';
  return `${source}\`\`\`sh
gossamer run ${record.slug}                  # on embedded data
gossamer info ${record.slug}                 # options, data sets, claims
gossamer reproduce ${record.slug}            # what stands below
\`\`\`

Data: ${datasets.map((name) => `\`${name}\``).join(', ')}; or ${ownData}.

## Results

${results}

## Options of the experiment

${table(['option', 'default', 'meaning'], settings)}`;
}

function resultsPart(record: ExperimentRecord, experiment: Experiment, made: Reproduction, folder: string): string {
  const runs = made.runs.map((run) => {
    const { columns, rows } = methodTable(experiment, run.rows);
    return `${run.description}; ${counted(run.seeds.length, 'seed')}, ${counted(run.threads, 'thread')}, ${run.seconds} s:
\`${run.command}\`

${table(columns, rows)}`;
  });
  const share = shareOf(record, experiment, claimsOfReproduction(made));
  return `${share} (${when(record, made, folder)}; ${made.machine}).

${runs.join('\n\n')}

${claimTable(record, experiment, made)}${unrunPart(record, experiment, made)}`;
}

/** The long runs that nothing on the page comes from. */
function unrunPart({ slug }: ExperimentRecord, experiment: Experiment, made: Reproduction): string {
  const commands = unrunPresets(experiment, made).map((preset) => {
    const set = assignments(preset).map((assignment) => ` --set ${assignment}`);
    return `gossamer run ${slug} --data ${preset.data} --seeds ${seedCount(preset)}${set.join('')}`;
  });
  if (commands.length === 0) return '';
  return `

Longer runs, which have not been made (\`gossamer reproduce ${slug} --long\`):

\`\`\`sh
${commands.join('\n')}
\`\`\``;
}

/** Puts the generated part between the marks of a page, or at the end of a page without marks. */
function withPart(page: string, part: string): string {
  const block = `${marks.begin}\n\n${part}\n\n${marks.end}`;
  const [begin, end] = [page.indexOf(marks.begin), page.indexOf(marks.end)];
  if (begin < 0 || end < begin) return `${page.trimEnd()}\n\n${block}\n`;
  return `${page.slice(0, begin)}${block}${page.slice(end + marks.end.length)}`;
}

/** The table of systems in the README. */
function systemTable(): string {
  const rows = systems.map(({ slug, family, about, paper }) => [
    `[\`${slug}\`](docs/systems/${slug}.md)`,
    about,
    families[family],
    `${paper.venue} ${paper.year}`,
  ]);
  return table(['system', 'what it does', 'family', 'paper'], rows);
}

/** All pages by their path below the folder of the repository, as they should be. */
export async function pages(folder: string): Promise<Readonly<Record<string, string>>> {
  const read = (path: string, otherwise: string) =>
    existsSync(join(folder, path)) ? readText(join(folder, path)) : otherwise;
  const made: Record<string, string> = {
    'REPRODUCTION.md': await reproductionPage(folder),
    'README.md': withPart(read('README.md', '# Gossamer\n'), systemTable()),
  };
  for (const record of [...systems, ...comparisons]) {
    const path = pageOf(record);
    const { experiment } = await record.load();
    const part = systemPart(record, experiment, readReproduction(folder, record.slug), folder);
    made[path] = withPart(read(path, `# ${record.title}\n`), part);
  }
  return made;
}

/** Writes all pages. @returns the paths of those that changed */
export async function writePages(folder: string): Promise<string[]> {
  const changed: string[] = [];
  for (const [path, text] of Object.entries(await pages(folder))) {
    const file = join(folder, path);
    if (existsSync(file) && readText(file) === text) continue;
    writeFileAtomic(file, text);
    changed.push(path);
  }
  return changed;
}
