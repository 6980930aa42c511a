// Questions with their answers, as JSON lines.

/** A question, and its answer where it is known. */
export interface Question {
  /** What is asked. */
  readonly question: string;
  /** The right answer; unknown when left out. */
  readonly answer?: string;
}

/**
 * Questions from JSON lines: objects with `question`, and `answer` as text or number.
 *
 * @throws Error naming the first line that is none
 */
export function parseQuestions(text: string, name: string): Question[] {
  const questions = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .flatMap((line, at) => (line.trim() ? [questionOf(line, `"${name}", line ${at + 1}`)] : []));
  if (questions.length === 0)
    throw new Error(`"${name}" has no question; expected lines such as {"question": "…", "answer": "…"}`);
  return questions;
}

function questionOf(line: string, where: string): Question {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Error(`${where} is not JSON; expected {"question": "…", "answer": "…"}`);
  }
  const { question, answer } = (value ?? {}) as Record<string, unknown>;
  if (typeof question !== 'string' || !/[\p{L}\p{N}]/u.test(question)) throw new Error(`${where} has no "question"`);
  if (answer === undefined || answer === null) return { question };
  if (typeof answer !== 'string' && typeof answer !== 'number') throw new Error(`${where}: "answer" is no text`);
  return { question, answer: String(answer) };
}
