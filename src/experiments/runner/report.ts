// The HTML report: one self-contained file with tables and plots as SVG, which opens without a
// network.

import type { Claim } from '../parts/claims.js';
import type { Experiment, ReportPicture } from '../parts/contract.js';
import { citation } from '../parts/system-record.js';
import type { ExperimentRecord } from '../systems.js';
import { escapeHtml, htmlTable, style } from './html.js';
import { comparison, studyPlot, tradeOff, trainingCurves } from './plots.js';
import { claimGroups, counted, formatValue, methodTable, type RunResult, shareOf } from './result.js';

/** The report of a run as a page, with pictures in it. */
export function reportHtml(
  record: ExperimentRecord,
  experiment: Experiment,
  result: RunResult,
  pictures: readonly ReportPicture[] = [],
): string {
  const { description, seeds, threads, seconds, notes, options } = result;
  const paragraph = (text: string) => `<p class="note">${escapeHtml(text)}</p>`;
  const settings = Object.entries(options).map(([name, value]) => `${name}=${value}`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(record.title)}</title><style>${style}</style></head>
<body>
<h1>${escapeHtml(record.title)}</h1>
${paragraph(record.paper ? citation(record.paper) : record.about)}
<p>${escapeHtml(description)}. Seeds ${seeds.join(', ')}; ${counted(threads, 'thread')}; ${seconds.toFixed(0)} s.</p>
${htmlTable(methodTable(experiment, result.rows))}
${notes.map(paragraph).join('')}
${comparison(experiment, result)}
${tradeOff(experiment, result)}
${(experiment.plots?.(result.results) ?? []).map(studyPlot).join('')}
<h2>Claims</h2>
<p><b>${escapeHtml(shareOf(record, experiment, result.claims, result.smoke))}.</b></p>
${claimLists(record, result.claims)}
${result.studies.map((study) => `<h2>${escapeHtml(study.title)}</h2>${htmlTable(study)}${paragraph(study.note)}${study.plot ? studyPlot(study.plot) : ''}`).join('')}
${pictures.map(figure).join('')}
${trainingCurves(result.curves)}
<h2>Settings</h2><pre class="note">${escapeHtml(settings.join('  '))}</pre>
</body></html>
`;
}

function figure({ caption, png }: ReportPicture): string {
  const source = `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
  return `<figure><figcaption>${escapeHtml(caption)}</figcaption><img alt="${escapeHtml(caption)}" src="${source}"></figure>`;
}

/** The claims in three groups; those of the abstract under the words that they are about. */
function claimLists({ abstract }: ExperimentRecord, claims: readonly Claim[]): string {
  const list = (own: readonly Claim[]) => `<ul class="claims">${own.map(claimItem).join('')}</ul>`;
  const quoted = Object.entries(abstract).map(([key, words]) => {
    const own = claims.filter((claim) => claim.words === key);
    return `<p>“${escapeHtml(words)}”</p>${own.length > 0 ? list(own) : '<p class="note">not measured in this run</p>'}`;
  });
  const groups = claimGroups.flatMap(({ source, title }) => {
    if (source === 'abstract') return quoted.length > 0 ? [`<h3>${title}</h3>`, ...quoted] : [];
    const own = claims.filter((claim) => claim.source === source);
    return own.length > 0 ? [`<h3>${title}</h3>`, list(own)] : [];
  });
  return groups.join('\n');
}

function claimItem({ claim, value, bound, holds }: Claim): string {
  const [name, mark] = holds ? ['holds', '✓'] : ['fails', '✗'];
  return `<li class="${name}">${mark} ${escapeHtml(claim)}: <b>${escapeHtml(formatValue(value))}</b> (bound ${escapeHtml(bound)})</li>`;
}
