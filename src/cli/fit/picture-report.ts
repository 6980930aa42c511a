// How a classifier of pictures did on its test pictures: lines for the terminal, and a page with
// its confusions and worst mistakes.

import { type ImageDataset, thumbnail, writePng } from '../../data/index.js';
import { escapeHtml, htmlTable, style as pageStyle } from '../../experiments/runner/html.js';
import type { ImageEvaluation, ImageMistake } from '../../vision/index.js';
import { textTable } from '../result.js';

/** Most classes whose confusions are printed as a matrix. */
const MOST_COLUMNS = 12;
/** Confusions that are named where there are more classes. */
const NAMED = 5;
/** Mistakes that the page shows. */
const SHOWN = 24;
/** Characters of a class's name in the matrix. */
const NAME = 20;

const percent = (share: number) => `${(100 * share).toFixed(2)} %`;

/** What was measured, in words: the mean over classes too, where they differ in size. */
export function accuracyLine({ accuracy, balancedAccuracy, confusion }: ImageEvaluation): string {
  const classes = Math.sqrt(confusion.length);
  const counts = rowsOf(confusion, classes).map((row) => row.reduce((a, b) => a + b, 0));
  const tested = counts.filter((count) => count > 0);
  const differ = Math.max(...tested) >= 2 * Math.min(...tested);
  return `test accuracy ${percent(accuracy)}${differ ? `, balanced accuracy ${percent(balancedAccuracy)}` : ''}`;
}

/** The confusion matrix, or the most frequent confusions of many classes; none without mistakes. */
export function confusionLines({ confusion, mistakes }: ImageEvaluation, classes: readonly string[]): string[] {
  if (mistakes.length === 0) return [];
  if (classes.length > MOST_COLUMNS) {
    const worst = confusionsOf(confusion, classes.length).slice(0, NAMED);
    const named = worst.map(({ label, predicted, count }) => `${classes[label]} for ${classes[predicted]} (${count})`);
    return [`most often mistaken: ${named.join(', ')}`];
  }
  const letter = (at: number) => String.fromCharCode('a'.charCodeAt(0) + at);
  const rows = rowsOf(confusion, classes.length).map((row, label) => [
    `${letter(label)} ${(classes[label] as string).slice(0, NAME)}`,
    ...row.map((count) => (count === 0 ? '·' : count)),
  ]);
  return textTable(['taken for', ...classes.map((_, at) => letter(at))], rows).split('\n');
}

const rowsOf = (confusion: Int32Array, classes: number): number[][] =>
  Array.from({ length: classes }, (_, label) => Array.from(confusion.subarray(label * classes, (label + 1) * classes)));

/** Pairs of classes that were confused, the most frequent first. */
function confusionsOf(confusion: Int32Array, classes: number) {
  return Array.from(confusion, (count, at) => ({ label: Math.floor(at / classes), predicted: at % classes, count }))
    .filter(({ label, predicted, count }) => label !== predicted && count > 0)
    .sort((a, b) => b.count - a.count);
}

const style = `${pageStyle}
  .mistakes { display: flex; flex-wrap: wrap; gap: 1rem; } .mistakes figure { margin: 0; width: 8rem; overflow: visible; }
  .mistakes img { width: 6rem; height: 6rem; object-fit: contain; image-rendering: pixelated; }
  .mistakes figcaption { font-weight: 400; font-size: .85rem; overflow-wrap: anywhere; }
`;

/** What the page of a training tells. */
export interface PictureReport {
  readonly architecture: string;
  readonly data: ImageDataset;
  readonly evaluation: ImageEvaluation;
  /** Lines on the network, the data and the training. */
  readonly lines: readonly string[];
}

/** The page: one file that opens without a network. */
export function pictureReport({ architecture, data, evaluation, lines }: PictureReport): string {
  const { mistakes, confusion } = evaluation;
  const shown = mistakes.slice(0, SHOWN);
  const few = mistakes.length > SHOWN ? `, the ${SHOWN} most confident of ${mistakes.length}` : '';
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(architecture)} on ${escapeHtml(data.name)}</title><style>${style}</style></head>
<body>
<h1>${escapeHtml(architecture)} on ${escapeHtml(data.name)}</h1>
${lines.map((line) => `<p class="note">${escapeHtml(line)}</p>`).join('\n')}
<p><b>${escapeHtml(accuracyLine(evaluation))}</b></p>
<h2>Classes</h2>
${classTable(data, confusion)}
<h2>Confusions</h2>
<p class="note">Test pictures of each class (row) by what they were taken for (column).</p>
${confusionTable(data.classes, confusion)}
<h2>Worst mistakes</h2>
${shown.length === 0 ? '<p>There are none.</p>' : `<p class="note">Pictures as the network sees them${few}.</p>`}
<div class="mistakes">${shown.map((mistake) => mistakeFigure(data, mistake)).join('')}</div>
</body></html>
`;
}

/** Pictures, recall and precision of each class. */
function classTable({ classes, train }: ImageDataset, confusion: Int32Array): string {
  const rows = rowsOf(confusion, classes.length);
  const share = (right: number, all: number) => (all === 0 ? '–' : (100 * (right / all)).toFixed(1));
  return htmlTable({
    columns: ['class', 'training pictures', 'test pictures', 'found (recall, %)', 'right (precision, %)'],
    rows: classes.map((name, at) => {
      const right = rows[at]?.[at] as number;
      const own = (rows[at] as number[]).reduce((a, b) => a + b, 0);
      const named = rows.reduce((sum, row) => sum + (row[at] as number), 0);
      const trained = train.labels.reduce((sum, label) => sum + Number(label === at), 0);
      return [name, trained, own, share(right, own), share(right, named)];
    }),
  });
}

/** The matrix, each cell the darker the larger its share of the row. */
function confusionTable(classes: readonly string[], confusion: Int32Array): string {
  const head = ['', ...classes].map((name) => `<th>${escapeHtml(name)}</th>`).join('');
  const body = rowsOf(confusion, classes.length).map((row, label) => {
    const all = Math.max(
      1,
      row.reduce((a, b) => a + b, 0),
    );
    const cells = row.map((count, at) => {
      const colour = at === label ? '43, 122, 75' : '179, 64, 42';
      return `<td style="background: rgba(${colour}, ${(0.7 * (count / all)).toFixed(2)})">${count === 0 ? '' : count}</td>`;
    });
    return `<tr><td>${escapeHtml(classes[label] as string)}</td>${cells.join('')}</tr>`;
  });
  return `<div class="wide"><table><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div>`;
}

function mistakeFigure({ classes, test }: ImageDataset, { image, label, predicted, probability }: ImageMistake) {
  const source = `data:image/png;base64,${Buffer.from(writePng(thumbnail(test, image))).toString('base64')}`;
  const name = test.files?.[image] ?? `test picture ${image}`;
  const caption = `${classes[label]}, taken for ${classes[predicted]} (${(100 * probability).toFixed(0)} %)`;
  return `<figure><img alt="${escapeHtml(caption)}" title="${escapeHtml(name)}" src="${source}"><figcaption>${escapeHtml(caption)}<br><span class="note">${escapeHtml(name)}</span></figcaption></figure>`;
}
