// A small writer of GGUF files, for tests of the reader.

type Entry = readonly [type: number, value: unknown];

interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: number;
  readonly bytes: Uint8Array;
}

const ALIGNMENT = 32;

export function ggufFile(metadata: Readonly<Record<string, Entry>>, tensors: readonly Tensor[]): Uint8Array {
  const parts: number[] = [];
  const number = (bytes: number, write: (view: DataView) => void) => {
    const view = new DataView(new ArrayBuffer(bytes));
    write(view);
    parts.push(...new Uint8Array(view.buffer));
  };
  const u32 = (value: number) => number(4, (view) => view.setUint32(0, value, true));
  const u64 = (value: number | bigint) => number(8, (view) => view.setBigUint64(0, BigInt(value), true));
  const text = (value: string) => {
    const bytes = new TextEncoder().encode(value);
    u64(bytes.length);
    parts.push(...bytes);
  };
  const put = ([type, value]: Entry): void => {
    if (type === 4) u32(value as number);
    else if (type === 5) number(4, (view) => view.setInt32(0, value as number, true));
    else if (type === 6) number(4, (view) => view.setFloat32(0, value as number, true));
    else if (type === 7) parts.push(value ? 1 : 0);
    else if (type === 8) text(value as string);
    else if (type === 10) u64(value as bigint);
    else if (type === 9) {
      const [element, values] = value as [number, unknown[]];
      u32(element);
      u64(values.length);
      for (const item of values) put([element, item]);
    }
  };
  parts.push(...new TextEncoder().encode('GGUF'));
  u32(3);
  u64(tensors.length);
  u64(Object.keys(metadata).length);
  for (const [key, entry] of Object.entries(metadata)) {
    text(key);
    u32(entry[0]);
    put(entry);
  }
  let offset = 0;
  const aligned = (length: number) => Math.ceil(length / ALIGNMENT) * ALIGNMENT;
  for (const { name, shape, type, bytes } of tensors) {
    text(name);
    u32(shape.length);
    for (const length of [...shape].reverse()) u64(length);
    u32(type);
    u64(offset);
    offset += aligned(bytes.length);
  }
  while (parts.length % ALIGNMENT) parts.push(0);
  const start = parts.length;
  const last = tensors.at(-1);
  const file = new Uint8Array(start + offset - (last ? aligned(last.bytes.length) - last.bytes.length : 0));
  file.set(parts);
  let at = start;
  for (const { bytes } of tensors) {
    file.set(bytes, at);
    at += aligned(bytes.length);
  }
  return file;
}
