// Link predictors of NAT, made by `gossamer fit --model nat` or `gossamer run nat`.

import { eventsFromTable, questionsFromTable } from '../../data/index.js';
import { readBytes, readUnpackedText } from '../../data/node.js';
import { EventModel } from '../../graph/index.js';
import { parameterCount } from '../../nn/index.js';
import { readingText } from '../tables.js';
import { onlyPath, type Predictions, type PredictOptions, type Predictor, scoresLine } from './predictor.js';

export function open(path: string): Predictor {
  const model = EventModel.load(readBytes(path), path);
  return {
    predict: async (paths, options) => answer(model, onlyPath(paths), options),
    reads: readingText,
    observe: async (events, note, options) => {
      const { network } = model.model;
      const features = model.training.features ?? (network.eventFeatures === undefined ? 'none' : 'all');
      const table = eventsFromTable(readUnpackedText(events, options), events, { ...options, features });
      for (const text of table.notes) note?.(text);
      model.observe(table);
      return model.save();
    },
    describe: () => descriptionOf(model),
  };
}

/** The probability of each pair of a table, or the likeliest partners of each of its sources. */
function answer(model: EventModel, path: string, { top = 1, table: options, note }: PredictOptions): Predictions {
  const { sources, targets, times } = questionsFromTable(readUnpackedText(path, options), path, options);
  const early = times?.values.findIndex((time) => time < model.lastTime) ?? -1;
  if (early >= 0)
    throw new Error(
      `"${path}", row ${early + 1}: the model has taken in events up to ${shownTime(model.lastTime)} and cannot answer for ${times?.texts[early]}`,
    );
  if (times)
    note(
      `probabilities are those after the last event, at ${shownTime(model.lastTime)}; until the next one they do not change`,
    );
  const known = new Set(model.model.nodeNames);
  const strange = new Set([...sources, ...(targets ?? [])].filter((name) => !known.has(name)));
  if (strange.size > 0)
    note(
      `${strange.size} nodes have had no events: ${[...strange].slice(0, 5).join(', ')}${strange.size > 5 ? ', …' : ''}`,
    );
  if (!targets) {
    const found = model.partners([...new Set(sources)], top);
    return {
      columns: ['source', 'target', 'probability'],
      rows: found.map(({ source, target, probability }) => [source, target, probability.toFixed(4)]),
    };
  }
  const probabilities = model.model.predictProba(sources, targets);
  return {
    columns: ['source', 'target', ...(times ? ['time'] : []), 'probability'],
    rows: sources.map((source, i) => [
      source,
      targets[i] as string,
      ...(times ? [times.texts[i] as string] : []),
      (probabilities[i] as number).toFixed(4),
    ]),
  };
}

/** A number, with the date that it is in seconds since 1970 where that is likely. */
function shownTime(time: number): string {
  return time >= 1e8 && time < 1e11 ? `${time} (${new Date(1000 * time).toISOString()})` : String(time);
}

function descriptionOf({ model, training, lastTime }: EventModel): string[] {
  const { network, nodeNames } = model;
  const { data, events, features = [], scores } = training;
  return [
    'NAT: the probability that two nodes meet next',
    ...(data === undefined ? [] : [`Trained on    ${data}: ${events} events`]),
    `State         ${nodeNames.length} nodes, ${network.state.observed} events taken in, the last at ${shownTime(lastTime)}`,
    `Inputs        pairs source,target; events with ${features.length > 0 ? `features ${features.join(', ')}` : network.eventFeatures ? `${network.eventFeatures.shape[1]} features` : 'no features'}`,
    `Network       width ${network.options.selfWidth}, caches of ${network.options.slots.join(' and ')} slots, ${parameterCount(network).toLocaleString('en-US')} parameters`,
    ...(scores ? [scoresLine(scores)] : []),
  ];
}
