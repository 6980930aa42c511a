// Models by name on the command line: what is fetched, and how far it is.

import { isHubName } from '../data/index.js';
import { fetchLanguageModel } from '../lm/node.js';
import { Bar } from './bar.js';
import { writeNote } from './output.js';

const size = (bytes: number) =>
  bytes >= 1e9 ? `${(bytes / 1e9).toFixed(2)} GB` : `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;

/**
 * The path of a model file: a name hf:owner/name[:file] is fetched where it is not in the cache of
 * Hugging Face's tools; any other text is a path.
 *
 * @param memory most bytes of weights in memory, for the choice of a quantisation
 */
export async function localModel(text: string, memory?: number): Promise<string> {
  if (!isHubName(text)) return text;
  let bar: Bar | undefined;
  let fetched = 0;
  let before: number | undefined;
  const started = performance.now();
  try {
    return await fetchLanguageModel(text, {
      memory,
      onChoice: ({ open, files, bytes, fits }) => {
        const total = files.reduce((sum, file) => sum + file.size, 0);
        const what = open ?? `safetensors, ${files.length} files`;
        const room = fits ? '' : `; about ${size(bytes)} in memory, more than there is for weights`;
        process.stderr.write(`${text}: ${what}, ${size(total)}${room}\n`);
      },
      onProgress: (done, total) => {
        before ??= done;
        fetched = done - before;
        bar ??= new Bar('fetching', 'B');
        bar.update(done / Math.max(1, total), done);
      },
      onNote: writeNote,
    });
  } finally {
    bar?.close();
    if (fetched > 0)
      process.stderr.write(`fetched ${size(fetched)} in ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
  }
}
