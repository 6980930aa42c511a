// The kinds of recommenders beside the one of an experiment.

import type { RunContext, StudyResults } from '../parts/contract.js';
import { type Method, quietContext, runMethods } from '../parts/methods.js';
import { noStudies, studyOf } from '../parts/studies.js';
import { type loadRecommendation, type Ranker, recommendationTask } from './recommendation.js';
import { type ArmSettings, armMethod, arms, dslAt, POPULAR, type Trained, untrained } from './recommendation-arms.js';

/** Mult-VAE and NeuMF at density 0.1, by their own protocols. */
export async function otherKinds(
  data: Awaited<ReturnType<typeof loadRecommendation>>,
  values: ArmSettings & { readonly kinds: string },
  context: RunContext,
): Promise<StudyResults> {
  if (values.kinds === 'no') return noStudies;
  const rows: (string | number)[][] = [];
  const scores: Record<string, number> = { drift: 0 };
  for (const kind of ['multvae', 'neumf'] as const) {
    const own = {
      ...values,
      batch: kind === 'multvae' ? 16 : 256,
      hidden: 100,
      latent: 32,
      rates: 1,
      negatives: Math.min(10, values.negatives),
    };
    const task = recommendationTask(data, kind, context.random.split(kind));
    const [, sparse] = arms(task, own, { densities: [0.1], rivals: [], random: context.random });
    const methods = sparse ? [armMethod(sparse(), task, own, undefined)] : [];
    const { methods: results } = await runMethods<Trained | Ranker>(
      [...methods, ...untrained(task)] as Method<Trained | Ranker>[],
      quietContext(context),
    );
    for (const { method, scores: found } of results) {
      scores.drift = Math.max(scores.drift ?? 0, found.drift ?? 0);
      if (kind === 'neumf' && method === dslAt(0.1)) scores['neumf hits'] = found.among as number;
      if (kind === 'neumf' && method === POPULAR) scores['popular hits'] = found.among as number;
      rows.push([kind, method, ...['recall', 'ndcg', 'among'].map((name) => found[name]?.toFixed(2) ?? '')]);
    }
  }
  const columns = ['model', 'method', 'recall@20 (%)', 'NDCG@20 (%)', 'hit rate@20 among 100 (%)'];
  const note = 'One seed. Mult-VAE ranks for users that no training has seen; NeuMF for the last item of each user.';
  return studyOf({ title: 'Other kinds of models', note, columns, rows }, scores);
}
