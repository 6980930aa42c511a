// Typed arrays without tensors.

type Numbers = Float32Array | Float64Array | Int32Array | Uint8Array;

/** Typed arrays of one kind, one after the other. */
export function joinedArrays<Values extends Numbers>(
  Kind: new (length: number) => Values,
  parts: readonly Values[],
): Values {
  const all = new Kind(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
