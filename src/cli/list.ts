// `gossamer list`

import { Command } from 'commander';
import { experiments } from '../experiments/index.js';

export function listCommand(): Command {
  return new Command('list').description('list the systems').action(() => {
    for (const { system, family, title } of Object.values(experiments))
      console.log(`${system.padEnd(16)} ${family.padEnd(12)} ${title}`);
  });
}
