// `gossamer search`: the architecture that suits data of one's own, found and trained.

import { Command, Option } from 'commander';
import { readJson, requireWritable } from '../../data/node.js';
import { number } from '../arguments.js';
import { withBackgroundOption, withPictureOptions } from '../pictures.js';
import { useThreads } from '../threads.js';
import { dassSearch } from './dass.js';
import { hwNasSearch } from './hw-nas/index.js';
import type { SearchFlags, SearchModel } from './model.js';
import { pflayerSearch } from './pflayer.js';
import { randomSearch } from './random-search.js';
import { tasSearch } from './tas.js';

/** Everything that can be searched; the first when --model is left out. */
const models = [pflayerSearch, dassSearch, hwNasSearch, randomSearch, tasSearch] as unknown as readonly SearchModel[];

/**
 * What a file of a search says was found: the lines of `gossamer info`; undefined where it is none.
 */
export function foundLines(path: string): readonly string[] | undefined {
  const found = readJson(path) as Readonly<Record<string, unknown>> | undefined;
  if (found?.configuration !== undefined && found.measured !== undefined) return chosenLines(path, found);
  const search = models.find(({ name, tell }) => tell && name === found?.model);
  if (!search || found?.data === undefined) return undefined;
  const { model, data, seed } = found;
  return [
    `${path}: what gossamer search --model ${model} found on ${data}, seed ${seed}`,
    ...(search.tell?.(found as never, path) ?? []),
  ];
}

/** The network that `gossamer search --model hw-nas` chose. */
function chosenLines(path: string, { configuration, measured }: Readonly<Record<string, unknown>>): string[] {
  const numbers = Object.entries(measured as Readonly<Record<string, unknown>>);
  return [
    `${path}: what gossamer search --model hw-nas chose`,
    `measured: ${numbers.map(([name, value]) => `${name} ${value}`).join(', ')}`,
    `configuration: ${JSON.stringify(configuration)}`,
  ];
}

const names = models.map(({ name }) => name);

const help = `
Examples
${models.flatMap(({ examples }) => examples.map((line) => `  ${line}`)).join('\n')}
  gossamer classify found.safetensors photo.jpg

${models.map(({ name, notes }) => `${name}: ${notes}`).join('\n')}
Ctrl-C keeps what was done so far, and --resume goes on from there.`;

export function searchCommand(): Command {
  const command = new Command('search')
    .description('search the architecture that suits your data, and train it')
    .argument('<data>', 'folder of images, or mnist, fashion-mnist, cifar10; random-search: a table too')
    .addOption(new Option('--model <name>', 'what is searched, see below').choices(names).default(names[0]))
    .option(
      '-o, --out <file>',
      'the model, or a folder; a file that ends in .json holds the architecture alone',
      'found.safetensors',
    );
  for (const option of new Set(models.flatMap(({ options }) => options))) command.addOption(labelled(option));
  return withBackgroundOption(withPictureOptions(command))
    .option('--seed <n>', 'seed', number(0), 0)
    .option('--threads <n>', 'threads, the calling one among them', number(1))
    .option('--resume', 'go on from where Ctrl-C stopped', false)
    .option('--json', 'print what was found as JSON', false)
    .addHelpText('after', help)
    .action(async (data: string, flags: SearchFlags & { readonly model: string }) => {
      const model = models.find(({ name }) => name === flags.model) as SearchModel;
      refuseOthers(command, model);
      useThreads(flags.threads);
      if (!model.writesFolder) requireWritable(flags.out);
      // A folder has no ending.
      const isOwnOut = model.writesFolder && command.getOptionValueSource('out') !== 'cli';
      await model.run(data, isOwnOut ? { ...flags, out: 'found' } : flags);
    });
}

const takersOf = (option: Option): string[] =>
  models.filter(({ options }) => options.includes(option)).map(({ name }) => name);

/** The option with the models that take it before its description, where some do not. */
function labelled(option: Option): Option {
  const takers = takersOf(option);
  if (takers.length < models.length) option.description = `${takers.join(', ')}: ${option.description}`;
  return option;
}

/** @throws Error for an option on the command line that the model does not take */
function refuseOthers(command: Command, model: SearchModel): void {
  const stranger = models
    .flatMap(({ options }) => options)
    .find(
      (option) => !model.options.includes(option) && command.getOptionValueSource(option.attributeName()) === 'cli',
    );
  if (stranger)
    throw new Error(
      `${stranger.long} is an option of --model ${takersOf(stranger).join(' and ')}, not of ${model.name}`,
    );
}
