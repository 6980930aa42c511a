// The networks of pictures that `gossamer fit --model` names.

import { count, type OptionTable } from '../../experiments/parts/options.js';
import { imageModelNames, imageModelSettings } from '../../vision/index.js';
import { defineLearner, type Learner } from './learner.js';
import { pictureOptions } from './options.js';

/** The hyperparameters of a network; at 0 it keeps its own. */
export function settingOptions(name: string): OptionTable {
  const settings = Object.entries(imageModelSettings(name));
  return Object.fromEntries(settings.map(([own, about]) => [own, count(0, about, { minimum: 0 })]));
}

export const pictureLearners: Readonly<Record<string, Learner>> = Object.fromEntries(
  imageModelNames.map((name) => [
    name,
    defineLearner({
      about: 'classes of pictures, a folder for each',
      data: 'pictures',
      options: { ...pictureOptions, ...settingOptions(name) },
      load: async () => {
        const { fitPictures } = await import('./pictures.js');
        return (path, { pictures, ...request }) => {
          if (!pictures) throw new Error(`model "${name}": how pictures are read was not said`);
          return fitPictures(name, path, { ...request, pictures });
        };
      },
    }),
  ]),
);
