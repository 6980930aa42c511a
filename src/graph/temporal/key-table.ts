// Rows of nodes around a pair, found by hashing.

/**
 * Hash table (open addressing) from keys, such as the nodes around one pair, to rows; clearing
 * increments a stamp and takes constant time.
 */
export class KeyTable {
  #size = 512;
  #keys = new Int32Array(this.#size);
  #rows = new Int32Array(this.#size);
  #stamps = new Int32Array(this.#size);
  #stamp = 0;
  #used = 0;

  clear(): void {
    this.#stamp += 1;
    this.#used = 0;
  }

  #slot(key: number): number {
    let at = (Math.imul(key, 0x9e3779b1) >>> 8) & (this.#size - 1);
    while (this.#stamps[at] === this.#stamp && this.#keys[at] !== key) at = (at + 1) & (this.#size - 1);
    return at;
  }

  find(key: number): number {
    const at = this.#slot(key);
    return this.#stamps[at] === this.#stamp ? (this.#rows[at] as number) : -1;
  }

  put(key: number, row: number): void {
    if (2 * ++this.#used > this.#size) this.#grow();
    const at = this.#slot(key);
    this.#stamps[at] = this.#stamp;
    this.#keys[at] = key;
    this.#rows[at] = row;
  }

  #grow(): void {
    const held = Array.from(this.#stamps.keys()).filter((at) => this.#stamps[at] === this.#stamp);
    const entries = held.map((at) => [this.#keys[at] as number, this.#rows[at] as number] as const);
    this.#size *= 2;
    this.#keys = new Int32Array(this.#size);
    this.#rows = new Int32Array(this.#size);
    this.#stamps = new Int32Array(this.#size);
    for (const [key, row] of entries) {
      const at = this.#slot(key);
      this.#stamps[at] = this.#stamp;
      this.#keys[at] = key;
      this.#rows[at] = row;
    }
  }
}
