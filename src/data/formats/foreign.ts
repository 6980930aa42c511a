// Graph and data formats that are not delimited text, recognised so that they are read as what they
// are or refused by name.

interface Foreign {
  readonly format: string;
  /** First bytes. */
  readonly magic?: readonly number[];
  /** Matches the first 4 KiB, one character a byte. */
  readonly start?: RegExp;
  readonly file?: RegExp;
}

const formats: readonly Foreign[] = [
  { format: 'gzip-compressed', magic: [0x1f, 0x8b] },
  { format: 'a zip archive', magic: [0x50, 0x4b, 0x03, 0x04] },
  { format: 'compressed with zstd', magic: [0x28, 0xb5, 0x2f, 0xfd] },
  { format: 'compressed with bzip2', magic: [0x42, 0x5a, 0x68] },
  { format: 'compressed with xz', magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a] },
  { format: 'a Parquet file', magic: [0x50, 0x41, 0x52, 0x31] },
  { format: 'an HDF5 file', magic: [0x89, 0x48, 0x44, 0x46] },
  { format: 'a .npy file', magic: [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] },
  { format: 'a Matrix Market file', start: /^%%MatrixMarket/i, file: /\.mtx$/i },
  { format: 'a METIS graph', file: /\.(graph|metis)$/i },
  { format: 'a GraphML file', start: /^\s*<[\s\S]*graphml/i, file: /\.graphml$/i },
  { format: 'a GEXF file', start: /^\s*<[\s\S]*gexf/i, file: /\.gexf$/i },
  { format: 'an XML file', start: /^\s*</ },
  { format: 'a GML file', start: /^\s*(Creator\b[^\n]*\n\s*)?graph\s*\[/, file: /\.gml$/i },
  { format: 'a DOT file', start: /^\s*(strict\s+)?(di)?graph\b[^\n]*\{/, file: /\.(dot|gv)$/i },
  { format: 'a Pajek file', start: /^\s*\*(vertices|network|arcs|edges)/i, file: /\.net$/i },
  { format: 'a UCINET file', start: /^\s*dl\s+n\s*=/i },
  { format: 'an adjacency list', file: /\.adjlist$/i },
  { format: 'an edge list with dictionaries', start: /^(\s*#[^\n]*\n)*\S+[ \t]+\S+[ \t]+\{[^\n]*\}[ \t]*(\r?\n|$)/ },
  { format: 'a graph in JSON', start: /^\s*\{[\s\S]*"(nodes|links|adjacency)"\s*:\s*\[/ },
  { format: 'JSON', start: /^\s*(\{|\[\s*[[{"\d])/, file: /\.jsonl?$/i },
  // KONECT's files begin with such a line too and are edge lists.
  { format: 'a METIS or Matrix Market file (it begins with a % comment)', start: /^%(?!\s*a?sym\b)/ },
];

/**
 * The format of a file that is no delimited text, undefined where it may be.
 *
 * @param start its first bytes
 */
export function foreignFormat(start: Uint8Array, name: string): string | undefined {
  const text = Array.from(start.subarray(0, 4096), (byte) => String.fromCharCode(byte)).join('');
  const file = name.replace(/\.gz$/i, '');
  const known = formats.find(
    (format) =>
      format.magic?.every((byte, i) => start[i] === byte) || format.start?.test(text) || format.file?.test(file),
  );
  return known?.format ?? (text.includes('\0') ? 'binary' : undefined);
}
