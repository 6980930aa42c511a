// Source files with the lines that attention was on, as a page in HTML.

import { escapeHtml } from '../../experiments/runner/html.js';

/** A place in a source that attention was on. */
export interface AttentionPlace {
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** Node type or text of the vertex. */
  readonly text: string;
  /** Share of the file's attention. */
  readonly share: number;
}

/** The attention on a file. */
export interface AttentionOnFile {
  readonly path: string;
  readonly lines: readonly string[];
  /** Share of the attention on what starts in each line. */
  readonly onLine: Float64Array;
  /** Most attention first. */
  readonly places: readonly AttentionPlace[];
  /** The class and its probability. */
  readonly verdict: string;
}

const style = `body { font: 14px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem }
pre { border: 1px solid #ddd; overflow-x: auto; line-height: 1.4 } pre span { display: block; padding: 0 .5rem; min-height: 1.4em }
pre i { color: #888; font-style: normal; display: inline-block; width: 8em; user-select: none }`;

/** A page with every file; a line is the darker, the more attention is on it. */
export function attentionPage(files: readonly AttentionOnFile[]): string {
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Attention on source files</title><style>${style}</style>
<h1>Attention on source files</h1>
<p>Beside each line: its number and its share of the attention of the read-out.</p>
${files.map(section).join('\n')}
</html>
`;
}

function section({ path, lines, onLine, verdict }: AttentionOnFile): string {
  const most = Math.max(...onLine, 1e-9);
  const rows = lines.map((line, at) => {
    const share = onLine[at] as number;
    const label = `${String(at + 1).padStart(4)} ${(100 * share).toFixed(1).padStart(5)} %`;
    return `<span style="background: rgb(255 180 0 / ${(0.75 * (share / most)).toFixed(3)})"><i>${label}</i>${escapeHtml(line)}</span>`;
  });
  return `<h2>${escapeHtml(path)}</h2>\n<p>${escapeHtml(verdict)}</p>\n<pre>${rows.join('')}</pre>`;
}
