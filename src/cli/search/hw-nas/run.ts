// The search itself on the command line: its log in a folder, progress, Ctrl-C, a warm start.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Evaluated,
  GeneSpace,
  type LogStore,
  readEvaluations,
  type SearchOptions,
  type SearchResult,
  search,
} from '../../../compress/index.js';
import { interruptSignal, readUnpackedText, writeFileAtomic } from '../../../data/node.js';
import type { Genes } from '../../../nn/index.js';
import { Bar } from '../../bar.js';
import type { Candidate, HwNasFlags } from './flags.js';

/** Exit code after Ctrl-C. */
const INTERRUPTED = 130;

const logPath = ({ out }: Pick<HwNasFlags, 'out'>) => join(out, 'log.csv');

/** @throws Error where a folder holds another search, or there is none to go on from */
export function requireFreshFolder({ out, resume }: Pick<HwNasFlags, 'out' | 'resume'>): void {
  const path = logPath({ out });
  const known = existsSync(path) || existsSync(join(out, 'super.safetensors.checkpoint'));
  if (known && !resume)
    throw new Error(`folder "${out}" holds a search already: --resume goes on with it, or choose another --out`);
  if (resume && !known && !existsSync(join(out, 'super.safetensors')))
    throw new Error(`there is no "${path}" to go on from`);
}

function logStore(path: string): LogStore {
  return {
    load: () => (existsSync(path) ? readUnpackedText(path) : undefined),
    save: (text) => writeFileAtomic(path, text),
  };
}

/** Searches with a log in the folder; undefined after Ctrl-C. */
export async function loggedSearch(
  flags: HwNasFlags,
  genes: Genes,
  evaluate: SearchOptions['evaluate'],
  about: Readonly<Record<string, unknown>>,
): Promise<SearchResult | undefined> {
  const { objectives, tactic, evaluations, population, seed, warm: warmPath } = flags;
  const space = new GeneSpace(genes);
  const warm =
    warmPath === undefined
      ? []
      : readEvaluations(space, readUnpackedText(warmPath), warmPath).map(({ genome }) => space.decode(genome));
  const { signal, release } = interruptSignal();
  const bar = new Bar('searching', 'networks', flags.json);
  try {
    const result = await search({
      ...{ genes: space, evaluate: turning(evaluate), objectives, tactic, evaluations, population, seed, warm },
      ...{ about, signal, log: logStore(logPath(flags)) },
      onEvaluation: (own, done, of) => {
        bar.update(done / of, done);
        if (process.stderr.isTTY !== true && (done % population === 0 || done === of))
          process.stderr.write(`${done} of ${of} networks: ${measuredText(own)}\n`);
      },
    });
    if (result.stopped === 'completed') return result;
    process.stderr.write('\nstopped; the same command with --resume goes on\n');
    process.exitCode = INTERRUPTED;
    return undefined;
  } finally {
    bar.close();
    release();
  }
}

/** Evaluation that lets signals in before each network. */
function turning(evaluate: SearchOptions['evaluate']): SearchOptions['evaluate'] {
  return async (configuration, evaluation) => {
    await new Promise((resolve) => setImmediate(resolve));
    return evaluate(configuration, evaluation);
  };
}

const measuredText = ({ measured }: Evaluated) =>
  Object.entries(measured)
    .map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`)
    .join(', ');

/** Loss of accuracy that is given for the rest where there is no budget, a share. */
const GIVEN = 0.01;

/**
 * The network of a front to use: within the budgets the best in the first objective; without any,
 * the best in the second that loses at most a point of accuracy, or the best in the first.
 *
 * @throws Error naming the least that networks of the front need, where none meets the budgets
 */
export function chosenOf<Own extends Candidate>(
  front: readonly Own[],
  { objectives, budget: budgets }: Pick<HwNasFlags, 'objectives' | 'budget'>,
): Own {
  const value = ({ measured }: Own, name: string) => (name === 'accuracy' ? -1 : 1) * (measured[name] as number);
  const best = (own: readonly Own[], name: string) => own.reduce((a, b) => (value(b, name) < value(a, name) ? b : a));
  const [first = '', second] = objectives;
  if (budgets.length > 0) {
    const fitting = front.filter(({ measured }) =>
      budgets.every(({ name, most }) => (measured[name] as number) <= most),
    );
    if (fitting.length > 0) return best(fitting, first);
    const least = budgets.map(({ name, most }) => {
      const own = best(front, name).measured[name] as number;
      return `${name}=${most}, of which the networks found need at least ${Number(own.toPrecision(3))}`;
    });
    throw new Error(`no sub-network meets --budget ${least.join(' and ')}`);
  }
  if (second === undefined || first !== 'accuracy') return best(front, first);
  const most = best(front, first).measured.accuracy as number;
  return best(
    front.filter(({ measured }) => (measured.accuracy as number) >= most - GIVEN),
    second,
  );
}
