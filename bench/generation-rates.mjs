// Tokens a second of a model that goes on with a prompt, in Node and in a page's worker alike.

export const ROUNDS = 3;

/** The best of some rounds of [prompt, answer] tokens a second, each on its own. */
export async function best(round) {
  const all = [];
  for (let i = 0; i < ROUNDS; i++) all.push(await round());
  return [0, 1].map((which) => Math.max(...all.map((rates) => rates[which])));
}

/** @param generate Gossamer's, of wherever it was loaded from */
export function generationRates(generate, model, prompt, tokens) {
  return best(async () => {
    const cache = model.cache({ limit: 1024, format: 'f16' });
    let prefill = 0;
    const options = { maxTokens: tokens, temperature: 0, cache, onPrefill: (_, seconds) => (prefill = seconds) };
    const started = performance.now();
    let made = 0;
    for await (const _ of generate(model, prompt, options)) made += 1;
    const seconds = (performance.now() - started) / 1000 - prefill;
    cache.dispose();
    return [prompt.length / prefill, made / seconds];
  });
}
