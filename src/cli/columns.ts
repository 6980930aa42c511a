// Tables of text.

/** Cells in columns, the last `left` of them and the first on the left. */
export function columns(rows: readonly (readonly string[])[], left = 0): string {
  const widths = (rows[0] as readonly string[]).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] as string).length)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, i) =>
          i === 0 || i >= row.length - left ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
