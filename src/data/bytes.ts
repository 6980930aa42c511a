// Bytes that are read by ranges, so that large files need not fit in memory.

export interface ByteSource {
  /** What errors call it. */
  readonly name: string;
  readonly size: number;
  /** Fills `target` with the bytes from `position` on. @throws Error when there are not as many. */
  read(target: Uint8Array, position: number): void;
}

/** Bytes in memory. */
export function bytesInMemory(bytes: Uint8Array, name: string): ByteSource {
  return {
    name,
    size: bytes.length,
    read(target, position) {
      // Nothing is anywhere.
      if (target.length === 0) return;
      if (position + target.length > bytes.length)
        throw new Error(`"${name}" ends before byte ${position + target.length}`);
      target.set(bytes.subarray(position, position + target.length));
    },
  };
}

/** What of a tensor in a file is wanted. */
export interface TensorPart {
  /** Of a stack [parts, …] which one; all when left out. */
  readonly part?: number | undefined;
  /** Rows [from, to) of it; all when left out. */
  readonly rows?: readonly [from: number, to: number] | undefined;
}

/** Where a tensor lies. */
export interface TensorPlace {
  readonly shape: readonly number[];
  readonly position: number;
  readonly bytes: number;
}

/** The place of a part of a tensor. */
export function partOf({ shape, position, bytes }: TensorPlace, { part, rows }: TensorPart): TensorPlace {
  if (part !== undefined) {
    const each = bytes / (shape[0] ?? 1);
    return partOf({ shape: shape.slice(1), position: position + part * each, bytes: each }, { rows });
  }
  if (!rows) return { shape, position, bytes };
  const [from, to] = rows;
  const each = bytes / (shape[0] ?? 1);
  return { shape: [to - from, ...shape.slice(1)], position: position + from * each, bytes: (to - from) * each };
}
