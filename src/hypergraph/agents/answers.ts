// Whether a reply holds the answer to a question.

/**
 * Whether a reply holds an answer. A number (of GSM8K: what follows `####`) is compared with the
 * last number of the reply as numbers, any other answer with what follows the last `Answer:`, or
 * with the last line, without regard to case, space and final punctuation.
 */
export function isRight(reply: string, answer: string): boolean {
  const expected = answer.includes('####') ? (answer.split('####').at(-1) as string) : answer;
  const number = plainNumber(expected);
  if (number !== undefined) return lastNumber(reply) === number;
  return normalized(finalText(reply)) === normalized(expected);
}

/** The number that a text is, with commas and a currency or percent sign; undefined for others. */
function plainNumber(text: string): number | undefined {
  return /^\s*[-+−]?[$€£]?\s?(\d[\d,]*\.?\d*|\.\d+)\s*%?\s*$/.test(text) ? lastNumber(text) : undefined;
}

/** The last number of a text: commas between digits and signs of currencies are left out. */
export function lastNumber(text: string): number | undefined {
  const found = text.match(/(?<![\d.])[-−]?[$€£]?(?:\d[\d,]*(?:\.\d+)?|\.\d+)/g)?.at(-1);
  if (found === undefined) return undefined;
  const value = Number(found.replace('−', '-').replace(/[$€£,]/g, ''));
  return Number.isFinite(value) ? value : undefined;
}

/** What a reply gives as its answer. */
export function finalText(reply: string): string {
  const marked = reply.split(/answer:/i);
  const last = marked.length > 1 ? (marked.at(-1) as string).trim().split('\n')[0] : reply.trim().split('\n').at(-1);
  return (last ?? '').trim();
}

function normalized(text: string): string {
  return text
    .toLowerCase()
    .replace(/[*_`"']/g, '')
    .replace(/\s+/g, ' ')
    .replace(/[.!?\s]+$/, '')
    .trim();
}
