// What a folder of source files holds: its classes, the sizes of the syntax trees, and the files
// that cannot be read.

import { loadSources } from '../data/node.js';
import { languageNames, languageOf, languages, loadParser, sourceHypergraph } from '../hypergraph/index.js';

/** Files that are listed as unreadable; more are counted. */
const LISTED = 5;

/**
 * Lines on the sources, each of which is parsed.
 *
 * @throws Error for a folder without folders of source files for two classes or more
 */
export async function sourceProfileLines(path: string): Promise<string[]> {
  const endings = languageNames.flatMap((name) => languages[name].endings);
  const { name, files, labels, classes } = await loadSources(path, endings);
  const sizes: { readonly path: string; readonly vertices: number }[] = [];
  const unreadable: string[] = [];
  const found = new Map<string, number>();
  for (const { path: file, source, fault } of files) {
    const language = languageOf(file);
    if (!language) continue;
    found.set(languages[language].title, (found.get(languages[language].title) ?? 0) + 1);
    const parser = await loadParser(language);
    try {
      if (fault !== undefined) throw new Error(fault);
      sizes.push({ path: file, vertices: sourceHypergraph(parser, source, file).vertexCount });
    } catch (error) {
      unreadable.push((error as Error).message);
    }
  }
  const counts = classes.map((title, c) => `${title} ${labels.filter((label) => label === c).length}`);
  sizes.sort((a, b) => a.vertices - b.vertices);
  const [middle, largest] = [sizes[sizes.length >> 1], sizes[sizes.length - 1]];
  return [
    `${name}: ${files.length} files, ${[...found].map(([title, count]) => `${count} in ${title}`).join(', ')}`,
    `classes: ${counts.join(', ')}`,
    ...(middle && largest
      ? [`vertices of a file: median ${middle.vertices}, most ${largest.vertices} (${largest.path})`]
      : []),
    ...(unreadable.length > 0 ? [`cannot be read: ${unreadable.length}`] : []),
    ...unreadable.slice(0, LISTED).map((message) => `  ${message}`),
  ];
}
