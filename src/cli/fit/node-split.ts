// How the labelled nodes of a person's own graph are divided.

import { type AttributedGraph, givenSplit, type NodeClasses, type Split, splitByShare } from '../../data/index.js';
import type { OptionTable } from '../../experiments/parts/options.js';
import type { FitRequest } from './learner.js';

/** The split that the data give, its missing parts drawn, or shares of the labelled nodes. */
export function nodeSplit(
  data: Pick<AttributedGraph, 'name' | 'nodeNames' | 'attributes'>,
  { labels, classNames }: Pick<NodeClasses, 'labels' | 'classNames'>,
  { values, random, note }: Pick<FitRequest<OptionTable>, 'values' | 'random' | 'note'>,
): Split {
  const shares = { train: values.train as number, validation: values.validation as number };
  if (shares.train + shares.validation > 1)
    throw new Error(`train=${shares.train} and validation=${shares.validation} are shares of more than all nodes`);
  const given = givenSplit(data, labels);
  const split = given ?? splitByShare(labels, classNames.length, shares, random.split('split'));
  if (given && given.unlabelled > 0)
    note(`${given.unlabelled} nodes of the split have no label and are left out of it`);
  const trained = new Set(Array.from(split.train, (v) => labels[v]));
  const unseen = classNames.filter((_, c) => !trained.has(c));
  if (unseen.length > 0) note(`no node to train on has class ${unseen.join(', ')}`);
  if (!given) {
    const counts = classNames.map((_, c) => labels.reduce((total, label) => total + Number(label === c), 0));
    const few = classNames.filter((_, c) => (counts[c] as number) < 3);
    if (few.length > 0) note(`of class ${few.join(', ')} there are fewer than three nodes, too few for all parts`);
  }
  if (split.validation.length > 0) return split;
  note('no node validates; the epoch is chosen by the nodes to train on');
  return { ...split, validation: split.train };
}
