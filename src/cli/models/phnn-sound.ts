// Detectors of sound events, made by `gossamer fit --model phc-seld`.

import { isFolder, loadSound, readBytes, wavFilesIn } from '../../data/node.js';
import { parameterCount } from '../../nn/index.js';
import { SoundModel } from '../../vision/index.js';
import type { Predictions, PredictOptions, Predictor } from './predictor.js';

export function open(path: string): Predictor {
  const model = SoundModel.load(readBytes(path), path);
  return {
    reads: [],
    describe: () => describe(model),
    predict: async (paths, options) => answer(model, paths, options),
  };
}

function describe({ description, network }: SoundModel): string[] {
  const { architecture, n, preset, channels, rate, window, hop, bins, classes, whole, threshold } = description;
  const domain = n === 1 ? 'real' : `n = ${n}, ${preset ? 'preset' : 'learnt'} algebra`;
  return [
    `PHNN: ${architecture}, ${domain}, ${parameterCount(network).toLocaleString('en-US')} parameters`,
    `Input        WAV files of ${channels} channels; other rates than ${rate} Hz are resampled`,
    `             frames of ${window} samples every ${hop}, ${bins} bins`,
    `${whole ? 'Classes' : 'Events'}      ${classes.join(', ')}`,
    whole ? 'predicts file,rank,class,probability' : `predicts file,event,start,end,probability, from ${threshold} on`,
  ];
}

/** What is heard in each file; those of a folder that cannot be read are noted. */
function answer(model: SoundModel, paths: readonly string[], { top = 1, note }: PredictOptions): Predictions {
  const { classes, rate, whole, channels } = model.description;
  const rows = paths.flatMap((path) =>
    wavFilesIn(path).flatMap((file): (string | number)[][] => {
      try {
        const sound = loadSound(file, rate);
        if (sound.channels.length !== channels)
          throw new Error(`"${file}" has ${sound.channels.length} channels, the model hears ${channels}`);
        if (!whole)
          return model
            .detect(sound)
            .map(({ label, start, end, probability }) => [
              ...[file, classes[label] as string, start.toFixed(3), end.toFixed(3)],
              probability.toFixed(4),
            ]);
        const probabilities = model.classify(sound);
        const order = [...probabilities.keys()].sort(
          (a, b) => (probabilities[b] as number) - (probabilities[a] as number),
        );
        return order
          .slice(0, top)
          .map((c, rank) => [file, rank + 1, classes[c] as string, (probabilities[c] as number).toFixed(4)]);
      } catch (error) {
        if (!isFolder(path)) throw error;
        note(`${(error as Error).message}; left out`);
        process.exitCode = 2;
        return [];
      }
    }),
  );
  return {
    columns: whole ? ['file', 'rank', 'class', 'probability'] : ['file', 'event', 'start', 'end', 'probability'],
    rows,
  };
}
