// `gossamer list`

import { Command } from 'commander';
// By file: the index of the experiments loads the engine.
import { comparisons, systems } from '../experiments/systems.js';

export function listCommand(): Command {
  return new Command('list').option('--json', 'print the records as JSON', false).action(list);
}

function list({ json }: { readonly json: boolean }): void {
  if (json) {
    console.log(JSON.stringify(systems.map(({ load: _, ...record }) => record)));
    return;
  }
  const width = Math.max(...[...systems, ...comparisons].map(({ slug }) => slug.length));
  for (const { slug, family, title } of systems) console.log(`${slug.padEnd(width)}  ${family.padEnd(12)} ${title}`);
  console.log('\nComparisons of several systems');
  for (const { slug, family, title } of comparisons)
    console.log(`${slug.padEnd(width)}  ${family.padEnd(12)} ${title}`);
}
