// `gossamer info`

import { Command } from 'commander';
import { experiments, type OptionSpec } from '../experiments/index.js';

/** @throws Error naming the known systems. */
export function findExperiment(system: string) {
  const experiment = experiments[system];
  if (!experiment) throw new Error(`unknown system "${system}"; known: ${Object.keys(experiments).join(', ')}`);
  return experiment;
}

function describeOption(name: string, spec: OptionSpec): string {
  const values = spec.kind === 'choice' ? ` (${spec.choices.join(' | ')})` : '';
  return `  ${`${name}=${spec.default}`.padEnd(26)} ${spec.about}${values}`;
}

export function infoCommand(): Command {
  return new Command('info')
    .description('what a system is, its options and data')
    .argument('<system>', 'name from `gossamer list`')
    .action((system: string) => {
      const { title, paper, abstract, options, datasets, ownData, methods } = findExperiment(system);
      console.log(
        [
          title,
          '',
          `Paper    ${paper}`,
          `Claim    ${abstract}`,
          `Methods  ${methods.join(', ')}`,
          `Data     ${datasets.join(', ')}`,
          `         or ${ownData}`,
          '',
          'Options (--set name=value)',
          ...Object.entries(options).map(([name, spec]) => describeOption(name, spec)),
          '',
          'Example',
          `  gossamer run ${system} --data ${datasets[1] ?? datasets[0]} --seeds 5`,
        ].join('\n'),
      );
    });
}
