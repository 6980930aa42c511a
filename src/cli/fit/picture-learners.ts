// The networks of pictures that `gossamer fit --model` names.

import { imageModelNames } from '../../vision/index.js';
import { defineLearner, type Learner } from './learner.js';
import { pictureOptions } from './options.js';

export const pictureLearners: Readonly<Record<string, Learner>> = Object.fromEntries(
  imageModelNames.map((name) => [
    name,
    defineLearner({
      about: 'classes of pictures, a folder for each',
      data: 'pictures',
      options: pictureOptions,
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
