// The texts of a column while it is read: a number for each row and every different text once. An
// array of texts would have the collector of garbage wait for as much garbage again.

/** Different texts of a column that are kept once. */
const MOST_KNOWN = 100_000;

/** Collects the texts of a column row by row; rows that get none are missing. */
export class TextCollector {
  /** The number of each row's text, from 1; 0 where it is missing. */
  #codes: Uint8Array | Uint16Array | Int32Array;
  readonly #known = new Map<string, number>();
  readonly #texts: (string | undefined)[] = [undefined];
  /** Texts by row, once there are too many to number. */
  #all: (string | undefined)[] | undefined;

  constructor(readonly rows: number) {
    this.#codes = new Uint8Array(rows);
  }

  set(row: number, text: string): void {
    let code = this.#known.get(text);
    if (code === undefined && !this.#all) {
      if (this.#texts.length > MOST_KNOWN) this.#all = this.values();
      else {
        const own = copyOf(text);
        code = this.#texts.push(own) - 1;
        this.#known.set(own, code);
        if (code === 2 ** 8) this.#codes = new Uint16Array(this.#codes);
        if (code === 2 ** 16) this.#codes = new Int32Array(this.#codes);
      }
    }
    if (this.#all) this.#all[row] = code === undefined ? copyOf(text) : this.#texts[code];
    else this.#codes[row] = code as number;
  }

  /** The texts of all rows; nothing is set after it. */
  values(): (string | undefined)[] {
    if (this.#all) return this.#all;
    const texts = this.#texts;
    const all = new Array<string | undefined>(this.rows).fill(undefined);
    for (let row = 0; row < this.rows; row++) all[row] = texts[this.#codes[row] as number];
    this.#codes = new Uint8Array(0);
    return all;
  }
}

/** A text of its own: a part of a long text keeps the whole of it in memory. */
const copyOf = (text: string): string => (text.length < 13 ? text : [...text].join(''));
