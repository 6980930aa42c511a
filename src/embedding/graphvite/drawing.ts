// A layout as a picture: SVG with a point for each node, coloured by its label.

/** What is drawn. */
export interface Drawing {
  /** Points [nodes, 2]. */
  readonly points: Float32Array;
  /** Edges as pairs of nodes, drawn below the points. Default: none */
  readonly edges?: { readonly sources: Int32Array; readonly targets: Int32Array };
  /** Label of each node, −1 for none. Default: all alike */
  readonly labels?: ArrayLike<number>;
  /** Names of the labels, for a legend. */
  readonly labelNames?: readonly string[];
  /** Name of each node, shown when it is pointed at. Default: none */
  readonly nameOf?: (node: number) => string;
}

/** Side of the picture in pixels, and its margin. */
const SIDE = 1000;
const MARGIN = 20;
/** Share of the points at each border that do not stretch the picture. */
const TRIMMED = 0.002;
/** Turns of hue between labels: the golden angle, so that neighbours differ. */
const HUE = 137.508;
const LEGEND_ROW = 18;

/** Escapes text for XML. */
const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign] as string);

const colourOf = (label: number): string => (label < 0 ? '#999' : `hsl(${Math.round((label * HUE) % 360)} 65% 45%)`);

/** The picture as SVG. @throws RangeError for a point that is no number */
export function drawingSvg({ points, edges, labels, labelNames = [], nameOf }: Drawing): string {
  const n = points.length / 2;
  const wrong = points.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) throw new RangeError(`drawing: node ${Math.floor(wrong / 2)} is at ${points[wrong]}`);
  const [x, y] = [0, 1].map((axis) =>
    scaleOf(Float32Array.from({ length: n }, (_, v) => points[2 * v + axis] as number)),
  ) as [Float32Array, Float32Array];
  const radius = Math.max(1, Math.min(5, 120 / Math.sqrt(n))).toFixed(1);
  const lines = Array.from(edges?.sources ?? [], (u, e) => {
    const v = edges?.targets[e] as number;
    return `M${x[u]} ${y[u]}L${x[v]} ${y[v]}`;
  });
  const circles = Array.from({ length: n }, (_, v) => {
    const title = nameOf ? `<title>${escaped(nameOf(v))}</title>` : '';
    return `<circle cx="${x[v]}" cy="${y[v]}" r="${radius}" fill="${colourOf(labels ? (labels[v] as number) : 0)}">${title}</circle>`;
  });
  const legend = labelNames.map(
    (name, i) =>
      `<circle cx="12" cy="${14 + i * LEGEND_ROW}" r="5" fill="${colourOf(i)}"/><text x="22" y="${18 + i * LEGEND_ROW}">${escaped(name)}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIDE} ${SIDE}" font-family="sans-serif" font-size="12">
<rect width="${SIDE}" height="${SIDE}" fill="#fff"/>
${lines.length > 0 ? `<path d="${lines.join('')}" stroke="#000" stroke-opacity="0.06" fill="none"/>\n` : ''}${circles.join('\n')}
${legend.join('\n')}
</svg>
`;
}

/** Coordinates in pixels; the few farthest points lie on the border. */
function scaleOf(values: Float32Array): Float32Array {
  const sorted = values.slice().sort();
  const cut = Math.floor(TRIMMED * sorted.length);
  const [low, high] = [sorted[cut] as number, sorted[sorted.length - 1 - cut] as number];
  return values.map((value) => {
    const share = high > low ? (value - low) / (high - low) : 0.5;
    return Math.round(10 * (MARGIN + Math.min(1, Math.max(0, share)) * (SIDE - 2 * MARGIN))) / 10;
  });
}
