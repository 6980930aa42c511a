// What SemiPFL's result depends on: labels, users, slow and small devices, its parts, and what an
// answer of full quality costs.

import type { ClientOptions } from '../../hypernet/index.js';
import { Random } from '../../tensor/index.js';
import type { RunContext, StudyResults } from '../parts/contract.js';
import { studyOf } from '../parts/studies.js';
import { type DrawnFederation, type DrawOptions, drawFederation, type SensorData } from './federated-data.js';
import {
  type ClassifierSettings,
  mean,
  SemiPFLRun,
  type SemiPFLSettings,
  surely,
  type TrainedFederation,
  trainClassifiers,
  trainSemiPFL,
  userScores,
} from './federated-methods.js';

interface Setting {
  readonly data: SensorData;
  readonly draw: DrawOptions;
  readonly semi: SemiPFLSettings;
  readonly context: RunContext;
}

const drawn = ({ data, draw, context }: Setting, changes: Partial<DrawOptions> = {}) =>
  drawFederation(data, { ...draw, ...changes }, context.random.split('draw'));

const random = ({ context }: Setting) => context.random.split('study');

/** One federation whose users get models from none, 5, 20 and 70 % of their labels. */
export async function labelStudy(setting: Setting): Promise<StudyResults> {
  const shares = [0, 5, 20, 0.7];
  const all: number[][] = [];
  for (const labels of shares) {
    const own = drawn(setting, { labels });
    all.push(userScores(await trainSemiPFL(own, setting.semi, random(setting)), own));
  }
  const means = all.map(mean);
  const steps = means.slice(1).map((value, i) => value - (means[i] as number));
  const names = ['none', '5 windows', '20 windows', '70 % of the windows'];
  return studyOf(
    {
      title: 'Labels of a user',
      columns: ['labels', 'weighted F1 (%)', 'worst user (%)'],
      rows: names.map((name, i) => [
        name,
        (means[i] as number).toFixed(1),
        Math.min(...(all[i] as number[])).toFixed(1),
      ]),
      note: 'The same users, autoencoders and test windows; more labels are those of fewer and others.',
    },
    {
      moreLabels: surely((all[3] as number[]).map((value, i) => value - (all[0]?.[i] as number))),
      worstStep: Math.min(...steps),
    },
  );
}

/** Federations of five, half of the users and all, scored on the same five. */
export async function userStudy(setting: Setting): Promise<StudyResults> {
  const whole = drawn(setting).users.length;
  const counts = [...new Set([Math.min(5, whole), Math.max(1, Math.round(whole / 2)), whole])];
  const all: number[][] = [];
  for (const users of counts) {
    const own = drawn(setting, { users });
    const exchanges = Math.round((setting.semi.exchanges * users) / whole);
    all.push(userScores(await trainSemiPFL(own, { ...setting.semi, exchanges }, random(setting)), own).slice(0, 5));
  }
  const last = all.at(-1) as number[];
  return studyOf(
    {
      title: 'Number of users',
      columns: ['users', 'weighted F1 of the first five (%)'],
      rows: counts.map((users, i) => [users, mean(all[i] as number[]).toFixed(1)]),
      note: 'As many exchanges a user in each federation.',
    },
    { moreUsers: surely(last.map((value, i) => value - (all[0]?.[i] as number))) },
  );
}

/** Slow, absent and small devices beside equal ones. */
export async function hardwareStudy(setting: Setting): Promise<StudyResults> {
  const own = drawn(setting);
  const draws = new Random(setting.context.seed).split('devices');
  const epochs = own.users.map(() => 1 + draws.integer(5));
  const delays = new Map(own.users.map(({ name }) => [name, draws.integer(4)]));
  const absent = new Random(setting.context.seed).split('absent');
  const scenarios: Readonly<Record<string, Partial<SemiPFLSettings>>> = {
    'equal devices': {},
    'stragglers: 1 to 5 local epochs': { client: (user): ClientOptions => ({ mostEpochs: epochs[user] as number }) },
    'drop-outs and delays: a fifth is lost, others come up to 3 rounds late': {
      simulate: (name, round) =>
        absent.split(name).split(round).float() < 0.2 ? 'lost' : (delays.get(name) as number),
    },
    'small devices: half of the windows, updates in int8': {
      client: (user): ClientOptions =>
        user % 2 === 0 ? { mostRows: Math.ceil((own.users[user]?.train.count ?? 2) / 2), upload: 'int8' } : {},
    },
    'all updates in int8': { client: (): ClientOptions => ({ upload: 'int8' }) },
  };
  const results: { readonly f1: number; readonly up: number }[] = [];
  for (const changes of Object.values(scenarios)) {
    const trained = await trainSemiPFL(own, { ...setting.semi, ...changes }, random(setting));
    results.push({ f1: mean(userScores(trained, own)), up: trained.bytes.up / own.users.length });
  }
  const [equal, ...others] = results as [(typeof results)[0], ...typeof results];
  return studyOf(
    {
      title: 'Devices of users',
      columns: ['scenario', 'weighted F1 (%)', 'uploads a user (kB)'],
      rows: Object.keys(scenarios).map((name, i) => {
        const { f1, up } = results[i] as (typeof results)[0];
        return [name, f1.toFixed(1), (up / 1000).toFixed(0)];
      }),
      note: 'Late updates count 0.9^rounds against the hypernetwork as it is when they come.',
    },
    {
      hardwareLoss: Math.max(...others.slice(0, 3).map(({ f1 }) => equal.f1 - f1)),
      int8: equal.up / (others[3]?.up as number),
    },
  );
}

/** SemiPFL without one of its parts. */
export async function ablationStudy(setting: Setting): Promise<StudyResults> {
  const own = drawn(setting);
  const { semi } = setting;
  const variants: Readonly<Record<string, SemiPFLSettings>> = {
    SemiPFL: semi,
    'one autoencoder for all': { ...semi, source: 'global' },
    'all rows of the donors': { ...semi, base: { ...semi.base, relevant: 1 } },
    'all base models alike': { ...semi, aggregation: { weights: 'uniform' } },
    'without fine-tuning': { ...semi, aggregation: { tuningSteps: 0 } },
    'untrained hypernetwork (Δθ = 0)': { ...semi, source: 'untrained hypernetwork' },
  };
  const all: number[][] = [];
  for (const settings of Object.values(variants))
    all.push(userScores(await trainSemiPFL(own, settings, random(setting)), own));
  const whole = all[0] as number[];
  return studyOf(
    {
      title: 'Without its parts',
      columns: ['variant', 'weighted F1 (%)', 'worst user (%)'],
      rows: Object.keys(variants).map((name, i) => [
        name,
        mean(all[i] as number[]).toFixed(1),
        Math.min(...(all[i] as number[])).toFixed(1),
      ]),
      note: 'On one draw of donors and users.',
    },
    { untrained: surely(whole.map((value, i) => value - (all.at(-1)?.[i] as number))) },
  );
}

/** Bytes and multiply-adds of a user until 95 % of a method's own final F1, and in all. */
export async function costStudy(
  setting: Setting,
  rivals: Readonly<Record<string, ClassifierSettings>>,
): Promise<StudyResults> {
  const own = drawn(setting);
  const shares = [0.25, 0.5, 1];
  const costs: { readonly name: string; readonly until: Cost; readonly all: Cost }[] = [];
  const run = new SemiPFLRun(own, setting.semi, random(setting));
  const stages: Stage[] = [];
  let done = 0;
  for (const share of shares) {
    await run.train(share - done);
    done = share;
    stages.push(stageOf(await run.finish(), own));
  }
  costs.push(costOf('SemiPFL', stages));
  for (const [name, settings] of Object.entries(rivals)) {
    const parts: Stage[] = [];
    for (const share of shares) {
      const trained = await trainClassifiers(
        own,
        { ...settings, exchanges: share * settings.exchanges },
        random(setting),
      );
      parts.push(stageOf(trained, own));
    }
    costs.push(costOf(name, parts));
  }
  const [semi, ...others] = costs as [(typeof costs)[0], ...typeof costs];
  const least = (pick: (cost: (typeof costs)[0]) => number) => Math.min(...others.map(pick)) / pick(semi);
  return studyOf(
    {
      title: 'What it costs a user',
      columns: ['method', 'MB to 95 %', 'MB in all', '10⁹ multiply-adds to 95 %', 'in all'],
      rows: costs.map(({ name, until, all }) => [
        name,
        (until.bytes / 1e6).toFixed(2),
        (all.bytes / 1e6).toFixed(2),
        (until.work / 1e9).toFixed(3),
        (all.work / 1e9).toFixed(3),
      ]),
      note: 'Measured at a quarter, half and all of the exchanges; base models and whole autoencoders count. To 95 %: of the method’s own final F1.',
    },
    {
      bytesUntil: least(({ until }) => until.bytes),
      bytesAll: least(({ all }) => all.bytes),
      workUntil: least(({ until }) => until.work),
      workAll: least(({ all }) => all.work),
    },
  );
}

interface Cost {
  readonly bytes: number;
  readonly work: number;
}

interface Stage extends Cost {
  readonly f1: number;
}

function stageOf(trained: TrainedFederation, own: DrawnFederation): Stage {
  const users = own.users.length;
  return {
    f1: mean(userScores(trained, own)),
    bytes: (trained.bytes.down + trained.bytes.up) / users,
    work: trained.multiplyAdds / users,
  };
}

function costOf(name: string, stages: readonly Stage[]) {
  const all = stages.at(-1) as Stage;
  return { name, until: stages.find(({ f1 }) => f1 >= 0.95 * all.f1) as Stage, all };
}
