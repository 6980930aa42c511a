// Plots as SVG text, drawn without a browser.

import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

/** A plot as the text of one `<svg>` element (or of a `<figure>`, where the plot has a legend). */
export function svgPlot(options: Plot.PlotOptions): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const drawn = Plot.plot({ ...options, document: document as unknown as Document });
  return (drawn as unknown as { outerHTML: string }).outerHTML;
}

/** A plot as a file of its own: text that names its namespace. */
export function svgFile(options: Plot.PlotOptions): string {
  const text = svgPlot(options);
  return text.includes('xmlns=') ? text : text.replace('<svg', '<svg xmlns="http://www.w3.org/2000/svg"');
}
